import type { StalenessSettings } from "#authz/rulesets/staleness";
import { integer, text } from "./schema-parts.ts";
import { fault, type ShapeFault } from "./shape-fault.ts";

/** What a source that is asked by time says of the age of its policies, once the schema has passed it. */
export interface RawStaleness {
  readonly maxStaleSeconds?: number;
  readonly onStale?: StalenessSettings["reaction"];
}

const defaultReaction = "nothing";

/** Properties of such a source. `unset`: when its policies are stale where `maxStaleSeconds` is not set. */
export function stalenessProperties(unset: string) {
  return {
    maxStaleSeconds: integer(
      `When the policies in force were not found to be the newest for so long, they are stale. At least twice \`pollSeconds\`. Unset: ${unset}.`,
      10,
      31_536_000,
    ),
    onStale: text(
      "What follows then beside the status: nothing, `/readyz` and gRPC health say no, or every request is denied too.",
      { enum: ["nothing", "not-ready", "deny"], default: defaultReaction },
    ),
  } as const;
}

/** Undefined: nothing is said of it. */
export function convertStaleness({ maxStaleSeconds, onStale }: RawStaleness): StalenessSettings | undefined {
  if (maxStaleSeconds === undefined && onStale === undefined) return undefined;
  return { maxStaleMillis: maxStaleSeconds && maxStaleSeconds * 1000, reaction: onStale ?? defaultReaction };
}

/** What a schema cannot say of a source whose policies get stale by `maxStaleSeconds` alone. `place`: of the source. */
export function checkReaction(place: readonly string[], { maxStaleSeconds, onStale }: RawStaleness): ShapeFault[] {
  if (maxStaleSeconds !== undefined || onStale === undefined) return [];
  return [fault("config/value", [...place, "onStale"], "`onStale` needs `maxStaleSeconds`")];
}

/** What a schema cannot say of every source that is asked by time. `place`: of the source. */
export function checkStaleness(
  place: readonly string[],
  { maxStaleSeconds }: RawStaleness,
  pollSeconds: number,
): ShapeFault[] {
  if (maxStaleSeconds === undefined || maxStaleSeconds >= 2 * pollSeconds) return [];
  const found = `\`maxStaleSeconds\` of ${maxStaleSeconds} is less than twice \`pollSeconds\` of ${pollSeconds}`;
  const help = "policies would be stale because one poll failed";
  return [fault("config/value", [...place, "maxStaleSeconds"], found, help)];
}
