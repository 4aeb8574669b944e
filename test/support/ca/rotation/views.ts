import type { RootState, RotationView } from "#ca/rotation/contract";
import type { CertificateInUse } from "#ca/store/contract";

/** Certificate number `n`, with a key and an identity of its own, given at the time 0 with the bundle in force, for a day. */
export function certificateInUse(n: number, but: Partial<CertificateInUse> = {}): CertificateInUse {
  return {
    number: n,
    serialHex: String(n),
    spiffeId: "spiffe://example.org/web",
    spkiHash: `key ${n}`,
    fingerprint: `certificate ${n}`,
    atMillis: 0,
    notAfterMillis: 24 * 3_600_000,
    issuerKeyId: "issuer of root 0",
    method: "x509-svid",
    evidence: "",
    bundleSequence: 5,
    ...but,
  };
}

/** Roots in these states since the time 0, an issuing authority under each, the bundle of sequence 5 and version `5` in force. */
export function viewOf(states: readonly RootState[], but: Partial<RotationView> = {}): RotationView {
  return {
    roots: states.map((state, i) => ({
      keyId: `root ${i}`,
      subject: `CN=root ${i}`,
      state,
      stateMillis: 0,
      notAfterMillis: 3650 * 24 * 3_600_000,
    })),
    rootOfIssuer: new Map(states.map((_, i) => [`issuer of root ${i}`, `root ${i}`])),
    signingRootKeyId: undefined,
    bundle: { sequence: 5, version: "5" },
    certificates: [],
    streams: [],
    waived: new Set(),
    selfTest: undefined,
    nowMillis: 0,
    settings: { settleMillis: 3 * 60_000, skewMillis: 10 * 60_000, lookMillis: 60_000 },
    ...but,
  };
}
