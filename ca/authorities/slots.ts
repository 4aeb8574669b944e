import type { AuthorityRecord } from "#ca/store/contract";
import type { LoadedAuthorities, LoadedAuthority } from "./load-authorities.ts";

/**
 * The issuing authority that is prepared to follow under a root: the newest one whose key is here and that has more than half of its life before it. Under each root there is
 * one in force and one that may follow, in the places A and B.
 */
export function successorOf(
  loaded: LoadedAuthorities,
  rootKeyId: string | undefined,
  nowMillis: number,
): LoadedAuthority | undefined {
  return issuingUnder(loaded, rootKeyId).findLast(({ record, authority, issuing }) => {
    const { notBefore, notAfter } = authority.certificate;
    return (
      record.state === "prepared" && issuing !== undefined && nowMillis - notBefore.millis < notAfter.millis - nowMillis
    );
  });
}

/** The place that the next issuing authority under a root gets: the one that the newest does not have. */
export function freeSlot(loaded: LoadedAuthorities, rootKeyId: string): NonNullable<AuthorityRecord["slot"]> {
  const newest = issuingUnder(loaded, rootKeyId).findLast(({ record }) => record.slot !== undefined);
  return newest?.record.slot === "A" ? "B" : "A";
}

/** Those that lead to the root and are not retired, in the order of their making. */
export function issuingUnder(loaded: LoadedAuthorities, rootKeyId: string | undefined): readonly LoadedAuthority[] {
  return loaded.issuing.filter(
    ({ record, path }) => record.state !== "retired" && path.at(-1)?.keyId === rootKeyId && rootKeyId !== undefined,
  );
}
