import fc from "fast-check";
import { DenyList, type DenyListParts } from "#identity/deny-list/deny-list";

/** A list of `cluster.local` with these members. */
export function denyListOf(parts: Partial<DenyListParts> = {}): DenyList {
  return new DenyList({
    trustDomain: "cluster.local",
    sequence: 7,
    issuedMillis: 1_800_000_000_000,
    certificates: [],
    identities: [],
    ...parts,
  });
}

/** A fingerprint of one digit. */
export const fingerprintOf = (digit: string): string => digit.repeat(64);

const fingerprint = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));
const count = fc.maxSafeNat();
const segment = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);

/** Lists of any size up to some dozens, members repeated and in any order. */
export const denyLists: fc.Arbitrary<DenyListParts> = fc.record({
  trustDomain: fc.constant("cluster.local"),
  sequence: count,
  issuedMillis: count,
  certificates: fc.array(fc.record({ fingerprint, endsMillis: fc.option(count, { nil: undefined }) })),
  identities: fc.array(
    fc.array(segment, { minLength: 1, maxLength: 4 }).map((path) => `spiffe://cluster.local/${path.join("/")}`),
  ),
});
