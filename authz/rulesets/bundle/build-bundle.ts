import type { RuleSet } from "#policy-compiler/ruleset/model";
import { countRuleSet } from "../status.ts";
import { joinBundle } from "./layout.ts";
import { type BundleManifest, encodeManifest } from "./manifest.ts";

export interface BundleContent extends Pick<BundleManifest, "revision" | "timeSeconds" | "digest" | "files"> {
  readonly name: string | undefined;
  /** See `BundleManifest`. */
  readonly expiresSeconds: number | undefined;
  readonly ruleSet: RuleSet;
  /** `ruleSet`, encoded; `digest` is theirs. */
  readonly rules: Uint8Array;
}

/** The bytes of a bundle that nobody has signed. The same content gives the same bytes. `name` and `revision`: see `isWord`. */
export function buildBundle({ name, expiresSeconds, ruleSet, rules, ...said }: BundleContent): Uint8Array {
  const counts = countRuleSet(ruleSet);
  const manifest = {
    ...(name === undefined ? {} : { name }),
    ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
    ...said,
    sizeBytes: rules.length,
    counts,
  };
  return joinBundle({ signature: undefined, manifest: Buffer.from(encodeManifest(manifest)), rules });
}
