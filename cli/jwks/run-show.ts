import type { CommandContext } from "../command.ts";
import { compileOrReport } from "../policies/compile-or-report.ts";
import { renderSources, sourceJson } from "../report/jwks.ts";
import { prepareFetching } from "../serve/issuer-keys.ts";
import { type FetchOptions, fetchOnce, jwtConfigOf } from "./fetch-once.ts";
import { placedRules, sourcesOf } from "./policy-sources.ts";

/**
 * Asks every source of keys that a folder's policies name, once, and renders their states. Undefined: the policies are not valid; what is wrong
 * was written and the exit status set.
 */
export async function showReport(
  folder: string,
  options: FetchOptions & { readonly istioLax: boolean; readonly format: "text" | "json" },
  context: CommandContext,
): Promise<{ readonly text: string; readonly usable: boolean } | undefined> {
  const { environment } = context;
  const jwt = await jwtConfigOf(options, environment);
  const built = await compileOrReport(folder, options, context);
  if (built === undefined) return undefined;
  const named = sourcesOf(placedRules(built.ruleSet, folder));
  const prepared = await prepareFetching(jwt, environment);
  const { states } = await fetchOnce(
    named.map(({ source }) => source),
    prepared,
  );
  const shown = states.map((status, i) => ({ status, rules: named[i]!.rules }));
  const json = () => `${JSON.stringify({ sources: shown.map(sourceJson) }, undefined, 2)}\n`;
  return {
    text: options.format === "json" ? json() : renderSources(shown),
    usable: states.every(({ state }) => state === "keys"),
  };
}
