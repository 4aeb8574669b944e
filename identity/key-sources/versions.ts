import type { KeySet, VerificationKey } from "#identity/key-set/key-set";

/** INVARIANT: of the process and not of a store, as `KeySet.version` promises. */
let newestVersion = 0;

/** The set of these keys: the one of before where nothing has changed, so that what was verified with it stays so; else one of a new version. */
export function renewedKeySet(before: KeySet | undefined, keys: readonly VerificationKey[]): KeySet {
  if (before !== undefined && sameKeys(before.keys, keys)) return before;
  newestVersion++;
  return { version: newestVersion, keys };
}

function sameKeys(left: readonly VerificationKey[], right: readonly VerificationKey[]): boolean {
  return left.length === right.length && left.every((key, i) => markOf(key) === markOf(right[i]!));
}

/** Equal for equal keys, and only for them: every member counts, in whatever order it stands. */
function markOf(key: VerificationKey): string {
  return JSON.stringify(sorted({ ...key, jwk: sorted(key.jwk) }));
}

function sorted(members: object): readonly (readonly [string, unknown])[] {
  return Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1));
}
