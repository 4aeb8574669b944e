import { createHash } from "node:crypto";
import type { AuthorityRecord, IssuanceCompletion, IssuanceIntent, JoinTokenRecord } from "#ca/store/contract";

/** Noon of some day: what records of tests say. */
export const noonMillis = Date.UTC(2030, 0, 1, 12);
const hourMillis = 3_600_000;

/** SHA-256 of a text, hex. */
export function digestOf(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A serial that tells which it is. */
export function serialOf(n: number): string {
  return digestOf(`serial ${n}`).slice(0, 32).replace(/^./, "1");
}

/** The intent number `n`: an identity, a key and a serial of its own. */
export function intentOf(n: number, but: Partial<IssuanceIntent> = {}): IssuanceIntent {
  return {
    requestId: `request-${n}`,
    atMillis: noonMillis + n,
    serialHex: serialOf(n),
    spiffeId: `spiffe://example.org/ns/shop/sa/workload-${n}`,
    dnsNames: [`workload-${n}.shop.svc`],
    keyKind: "P-256",
    spkiHash: digestOf(`key ${n}`),
    notBeforeMillis: noonMillis - 120_000,
    notAfterMillis: noonMillis + 24 * hourMillis,
    issuerKeyId: digestOf("issuer").slice(0, 40),
    csrHash: digestOf(`request ${n}`),
    method: "x509-svid",
    caller: `spiffe://example.org/ns/shop/sa/workload-${n}`,
    evidence: digestOf(`evidence ${n}`),
    registration: "shop/workloads",
    nameMismatch: [],
    bundleSequence: n,
    ...but,
  };
}

/** The completion of intent `n`; what stands for the certificate has about its size. */
export function completionOf(n: number, but: Partial<IssuanceCompletion> = {}): IssuanceCompletion {
  const certificateDer = new Uint8Array(640);
  certificateDer.set(new TextEncoder().encode(`certificate ${n}`));
  return {
    serialHex: serialOf(n),
    atMillis: noonMillis + n + 1,
    fingerprint: digestOf(certificateDer),
    certificateDer,
    ...but,
  };
}

/** A token for the identity of intent `n`, good for an hour. */
export function tokenOf(n: number, but: Partial<JoinTokenRecord> = {}): JoinTokenRecord {
  return {
    hash: digestOf(`token ${n}`),
    spiffeId: `spiffe://example.org/ns/shop/sa/workload-${n}`,
    createdMillis: noonMillis,
    expiresMillis: noonMillis + hourMillis,
    createdBy: "operator",
    sourceCidrs: ["10.0.0.0/8"],
    used: undefined,
    ...but,
  };
}

/** An authority with an encrypted key, prepared. */
export function authorityOf(n: number, but: Partial<AuthorityRecord> = {}): AuthorityRecord {
  return {
    keyId: digestOf(`authority ${n}`).slice(0, 40),
    role: "issuing",
    state: "prepared",
    stateMillis: noonMillis,
    slot: "A",
    keyKind: "P-256",
    certificateDer: new TextEncoder().encode(`authority ${n}`),
    chainDer: [new TextEncoder().encode(`above ${n}`), new TextEncoder().encode(`top ${n}`)],
    encryptedKey: new TextEncoder().encode(`sealed ${n}`),
    createdMillis: noonMillis,
    ...but,
  };
}
