import { type AuthoritySettings, defaultAuthoritySettings } from "#ca/authorities/settings";
import type { KeyKind } from "#ca/x509/contract";
import type { CommandContext } from "../command.ts";
import type { CaConfig } from "../config/ca-model.ts";
import { renderFinding } from "../config/codes.ts";
import { loadConfig } from "../config/load.ts";
import { exitCodeOfConfig } from "../exit-codes.ts";
import { UsageFault } from "../usage-fault.ts";

/** The `ca` section of a configuration file. Fails with `UsageFault`. */
export async function caSection(file: string, { environment }: CommandContext): Promise<CaConfig> {
  const loaded = await loadConfig(file, environment);
  if (!loaded.ok) {
    const exitCode = exitCodeOfConfig(loaded.findings);
    throw new UsageFault(loaded.findings.map(renderFinding).join("\n"), { exitCode });
  }
  const { ca } = loaded.config;
  if (ca === undefined) throw new UsageFault(`\`${file}\` has no \`ca\` section: there is no authority`);
  return ca;
}

/** What authorities are made like by a configuration. `kinds` goes over it. */
export function authoritySettingsOf(
  { issuing, leaf }: Pick<CaConfig, "issuing" | "leaf">,
  kinds: { readonly root?: KeyKind | undefined; readonly issuing?: KeyKind | undefined } = {},
): AuthoritySettings {
  return {
    ...defaultAuthoritySettings,
    rootKeyKind: kinds.root ?? defaultAuthoritySettings.rootKeyKind,
    issuingKeyKind: kinds.issuing ?? issuing.keyKind,
    issuingLifetimeMillis: issuing.lifetimeSeconds * 1000,
    longestLeafMillis: leaf.maxTtlSeconds * 1000,
  };
}
