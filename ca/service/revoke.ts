import { keptMillis } from "#ca/deny-list/publish-deny-list";
import type { CaStore, Revocation } from "#ca/store/contract";
import type { DeniedCertificate } from "#identity/deny-list/deny-list";
import { mostDenyListBytes } from "#identity/deny-list/encode-deny-list";
import { CodedError } from "#platform/coded-error";
import type { Log } from "#platform/log";
import { checkRevocation } from "./check-revocation.ts";
import { certificateOf, type Revoked } from "./revoked.ts";

export interface RevokeParts {
  readonly store: Pick<CaStore, "issuance" | "issuances" | "revoke">;
  readonly revoked: Revoked;
  readonly trustDomain: string;
  readonly nowMillis: () => number;
  readonly log: Log;
}

/**
 * Revokes for good: refused here from this very call on, on the deny list as soon as it is known which certificate is meant, then kept. A fingerprint of a
 * certificate that has not ended is kept as its serial; of any other it stays on the deny list for good. Answers false when it was revoked before. Fails with
 * `ca-revocation/…`, and as the store does: then it counts until the program ends.
 */
export async function revoke(
  parts: RevokeParts,
  asked: Revocation["target"],
  reason: string,
  by: string,
): Promise<boolean> {
  const { store, revoked, trustDomain, nowMillis, log } = parts;
  checkRevocation(asked, reason, trustDomain);
  checkRoom(revoked, nowMillis());
  // ORDER: it counts before it is kept, so that nothing slips through while the disk writes; and also where it is not known whether it was.
  revoked.refuse(asked);
  const { target, certificate } = await identify(store, asked, nowMillis());
  revoked.refuse(target);
  revoked.deny(target, certificate);
  const isNew = await store.revoke({ target, reason, by, atMillis: nowMillis() });
  revoked.keep(target);
  log.warn({ target, reason, by }, isNew ? "revoked" : "revoked before");
  return isNew;
}

/** Of one certificate or identity on a list. */
const mostEntryBytes = 2048 + 3;
const certificateBytes = 86;
/** What is around them. */
const frameBytes = 512;

/** A list that nobody could read would revoke nobody. */
function checkRoom(revoked: Revoked, nowMillis: number): void {
  const { certificates, identities } = revoked.denied();
  const listed = certificates.filter(({ endsMillis = nowMillis }) => endsMillis + keptMillis > nowMillis).length;
  const taken = identities.reduce((sum, { length }) => sum + length + 3, listed * certificateBytes + frameBytes);
  if (taken + mostEntryBytes <= mostDenyListBytes) return;
  throw new CodedError(
    "ca-revocation/full",
    `the deny list has no room beside ${listed} certificates and ${identities.length} identities: it comes as certificates end`,
  );
}

/** Which certificate is meant, if it is one. */
async function identify(
  store: RevokeParts["store"],
  target: Revocation["target"],
  nowMillis: number,
): Promise<{ readonly target: Revocation["target"]; readonly certificate: DeniedCertificate | undefined }> {
  if (target.kind === "identity") return { target, certificate: undefined };
  if (target.kind === "serial") {
    const certificate = certificateOf(await store.issuance(target.serialHex));
    if (certificate !== undefined) return { target, certificate };
    throw new CodedError(
      "ca-revocation/unknown",
      `no certificate with the serial \`${target.serialHex}\` was handed out: name one of another authority by its fingerprint`,
    );
  }
  const { fingerprint } = target;
  const endingBefore = { millis: Number.MAX_SAFE_INTEGER, nowMillis };
  const [record] = await store.issuances({ limit: 1, fingerprint, endingBefore });
  const certificate = certificateOf(record);
  if (record === undefined || certificate === undefined) return { target, certificate: undefined };
  return { target: { kind: "serial", serialHex: record.serialHex }, certificate };
}
