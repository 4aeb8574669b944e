import type { StalenessSettings } from "#authz/rulesets/staleness";
import { integer, text } from "./schema-parts.ts";
import { fault, type ShapeFault } from "./shape-fault.ts";

/** What a source that is asked by time says of the age of its policies, once the schema has passed it. */
export interface RawStaleness {
  readonly maxStaleSeconds?: number;
  readonly onStale?: StalenessSettings["reaction"];
}

const defaultReaction = "nothing";

/** Properties of such a source. */
export const stalenessProperties = {
  maxStaleSeconds: integer(
    "When the policies in force were not found to be the newest for so long, they are stale. At least twice `pollSeconds`. Unset: never.",
    10,
    31_536_000,
  ),
  onStale: text(
    "What follows then beside the status: nothing, `/readyz` and gRPC health say no, or every request is denied too.",
    { enum: ["nothing", "not-ready", "deny"], default: defaultReaction },
  ),
} as const;

/** Undefined: policies never get too old. */
export function convertStaleness({ maxStaleSeconds, onStale }: RawStaleness): StalenessSettings | undefined {
  if (maxStaleSeconds === undefined) return undefined;
  return { maxStaleMillis: maxStaleSeconds * 1000, reaction: onStale ?? defaultReaction };
}

/** What a schema cannot say of them. `place`: of the source. */
export function checkStaleness(
  place: readonly string[],
  { maxStaleSeconds, onStale }: RawStaleness,
  pollSeconds: number,
): ShapeFault[] {
  if (maxStaleSeconds === undefined) {
    if (onStale === undefined) return [];
    return [fault("config/value", [...place, "onStale"], "`onStale` needs `maxStaleSeconds`")];
  }
  if (maxStaleSeconds >= 2 * pollSeconds) return [];
  const found = `\`maxStaleSeconds\` of ${maxStaleSeconds} is less than twice \`pollSeconds\` of ${pollSeconds}`;
  const help = "policies would be stale because one poll failed";
  return [fault("config/value", [...place, "maxStaleSeconds"], found, help)];
}
