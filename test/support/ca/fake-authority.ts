import type { TrustBundle } from "#ca/authorities/contract";
import type { CertificateAnswer, CertificateRequest, IssuedAnswer } from "#ca/issuance/contract";
import type { EmergencyPlan, Hold, RotationStatus } from "#ca/rotation/contract";
import type { AuthorityService } from "#ca/service/contract";
import type { Explanation, IssuanceRecord } from "#ca/store/contract";
import type { StreamStatus } from "#xds/contract";

/** An authority that a test decides for, and what was asked of it. */
export interface FakeAuthority {
  readonly service: AuthorityService;
  readonly asked: CertificateRequest[];
  /** Calls of the administration, by name, with what they were given. */
  readonly calls: (readonly [name: string, ...given: unknown[]])[];
}

const at = Date.UTC(2030, 0, 1);

export const fakeBundle: TrustBundle = { trustDomain: "cluster.local", sequence: 7, anchors: [] };

export const fakeIssued: IssuedAnswer = {
  ok: true,
  serialHex: "0a1b",
  spiffeId: "spiffe://cluster.local/ns/shop/sa/web",
  notBeforeMillis: at,
  notAfterMillis: at + 86_400_000,
  chain: ["leaf\n", "issuer\n", "roots\n"],
};

export const fakeStream: StreamStatus = {
  id: 5,
  typeUrl: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
  variant: "delta",
  caller: "spiffe://cluster.local/ns/shop/sa/web",
  fingerprint: "ab12",
  node: "web-1",
  sinceMillis: at,
  names: [
    {
      name: "ROOTCA",
      sent: "v2",
      acknowledged: "v1",
      acknowledgedAtMillis: at,
      rejected: { version: "v2", message: "not taken", atMillis: at },
    },
    { name: "ALL", sent: undefined, acknowledged: undefined, acknowledgedAtMillis: undefined, rejected: undefined },
  ],
  leftOut: 1,
};

export const fakeRecord: IssuanceRecord = {
  requestId: "R1",
  atMillis: at,
  serialHex: "0a1b",
  spiffeId: "spiffe://cluster.local/ns/shop/sa/web",
  dnsNames: ["web.shop"],
  keyKind: "P-256",
  spkiHash: "ab",
  notBeforeMillis: at,
  notAfterMillis: at + 1000,
  issuerKeyId: "cd",
  csrHash: "ef",
  method: "jwt",
  caller: "https://issuer.example web",
  evidence: "01",
  registration: "shop/web",
  nameMismatch: [],
  bundleSequence: 7,
  state: "issued",
  fingerprint: "02",
  certificateDer: Uint8Array.from({ length: 60 }, (_, i) => i),
  revoked: undefined,
};

export const fakeExplanation: Explanation = {
  id: "ABCDEF123456",
  atMillis: at,
  code: "csr/signature",
  door: "istio",
  remoteAddress: "10.0.0.1",
  steps: [{ step: "signature", ok: false, seen: "another key's", wanted: "its own key's", remedy: "make it anew" }],
};

/** `answer` is what every request for a certificate gets; `operator` what `roleOf` says of everybody. Members in `more` replace the fake's own. */
export function fakeAuthority(
  answer: CertificateAnswer | ((request: CertificateRequest) => CertificateAnswer | Promise<CertificateAnswer>),
  more: Partial<AuthorityService> = {},
): FakeAuthority {
  const asked: CertificateRequest[] = [];
  const calls: (readonly [name: string, ...given: unknown[]])[] = [];
  const service: AuthorityService = {
    async issue(request) {
      asked.push(request);
      return typeof answer === "function" ? answer(request) : answer;
    },
    bundle: () => fakeBundle,
    async roleOf({ operatorSocket, bearer }) {
      const role = operatorSocket || bearer === "operator" ? "operator" : bearer === "auditor" ? "auditor" : undefined;
      return { role, who: role === undefined ? "nobody" : `the ${role}`, reason: "a test says so" };
    },
    async status() {
      return {
        trustDomain: "cluster.local",
        authorities: [fakeAuthorityStatus],
        bundle: { sequence: 7, anchors: 1, version: "a1b2" },
        rotation: { state: "published", stragglers: 2, firstBreakMillis: at, outageBudgetMillis: 5_000, warnings: [] },
        store: {
          schemaVersion: 1,
          generation: 1,
          entries: 3,
          lastHash: "aa",
          lastAtMillis: at,
          lastHead: {
            number: 2,
            hash: "bb",
            atMillis: at,
            generation: 1,
            auditKeyId: "cc",
            signature: new Uint8Array([1]),
          },
          issued: 1,
          unfinished: 0,
          sizeBytes: 4096,
          fault: undefined,
        },
        registrations: 2,
        serverCertificateNotAfterMillis: at,
        issuedSinceStart: 1,
        refusedSinceStart: 2,
        streams: { open: 2, bundle: { taken: 2, acknowledged: 1 }, listed: [fakeStream] },
        warnings: ["the root ends soon"],
      };
    },
    async dryRun(request) {
      calls.push(["dryRun", request]);
      return { steps: fakeExplanation.steps, certificatePem: undefined, findings: [] };
    },
    async certificates(query) {
      calls.push(["certificates", query]);
      return [fakeRecord];
    },
    certificate: async (serialHex) => (serialHex === fakeRecord.serialHex ? fakeRecord : undefined),
    explanation: async (id) => (id === fakeExplanation.id ? fakeExplanation : undefined),
    async createToken(wanted, by) {
      calls.push(["createToken", wanted, by]);
      return { token: "garita-join-token", expiresMillis: at };
    },
    async tokens(limit) {
      calls.push(["tokens", limit]);
      return [
        {
          hash: "dd",
          spiffeId: fakeRecord.spiffeId,
          createdMillis: at,
          expiresMillis: at,
          createdBy: "the operator",
          sourceCidrs: ["10.0.0.0/8"],
          used: { atMillis: at, serialHex: "0a1b", remoteAddress: undefined },
        },
      ];
    },
    async revoke(target, reason, by) {
      calls.push(["revoke", target, reason, by]);
      return true;
    },
    revocations: async () => [
      { target: { kind: "serial", serialHex: "0a1b" }, atMillis: at, by: "the operator", reason: "lost" },
      {
        target: { kind: "fingerprint", fingerprint: "0a".repeat(32) },
        atMillis: at,
        by: "the operator",
        reason: "lost",
      },
      { target: { kind: "identity", spiffeId: fakeRecord.spiffeId }, atMillis: at, by: "the operator", reason: "gone" },
    ],
    entries: () => [
      {
        name: "shop/web",
        source: { file: "web.yaml", line: 3 },
        spiffeId: [
          { kind: "text", text: "spiffe://cluster.local/ns/shop/sa/" },
          { kind: "claim", path: ["kubernetes.io", "serviceaccount", "name"] },
        ],
        callers: [{ kind: "jwt", issuer: "https://issuer.example", claims: [{ path: ["sub"], values: ["web"] }] }],
        dnsNames: [],
        keyKinds: ["P-256"],
        ttlSeconds: undefined,
        maxTtlSeconds: 3600,
      },
    ],
    auditReport: async () => ({
      ok: false,
      entries: 3,
      heads: 1,
      sealedUpTo: 2,
      faults: [{ entry: 3, message: "edited" }],
    }),
    async rotateIssuer(by) {
      calls.push(["rotateIssuer", by]);
      return fakeAuthorityStatus;
    },
    root: {
      async rotate(by) {
        calls.push(["root.rotate", by]);
        return fakeRotation;
      },
      status: async () => fakeRotation,
      async abort(by) {
        calls.push(["root.abort", by]);
        return fakeRotation;
      },
      async waive(spiffeId, reason, by) {
        calls.push(["root.waive", spiffeId, reason, by]);
        return fakeRotation;
      },
      async plan(remove) {
        calls.push(["root.plan", remove]);
        return fakePlan;
      },
      async force(confirmation, remove, by) {
        calls.push(["root.force", confirmation, remove, by]);
        return fakeRotation;
      },
      forecast: async () => ({
        proxies: 3,
        identities: 2,
        ends: { firstMillis: at, firstSpiffeId: fakeRecord.spiffeId, halfMillis: at, lastMillis: at },
        ifRemoved: [{ role: "root", keyId: "ab", proxies: 3, identities: 2, named: [fakeRecord.spiffeId] }],
      }),
    },
    async backup(file) {
      calls.push(["backup", file]);
    },
    ...more,
  };
  return { service, asked, calls };
}

const fakeHolds: readonly Hold[] = [
  { kind: "certificate", spiffeId: fakeRecord.spiffeId, serialHex: "0a1b", untilMillis: at },
  { kind: "stream", spiffeId: fakeRecord.spiffeId, node: "web-1", rejected: "no\nroom" },
  { kind: "time", untilMillis: at },
];

export const fakeRotation: RotationStatus = {
  roots: [
    { keyId: "ab", subject: "O=cluster.local,CN=root 2", state: "published", stateMillis: at, notAfterMillis: at },
  ],
  bundle: { sequence: 8, version: "cd" },
  steps: [{ rootKeyId: "ab", from: "published", to: "propagated", heldUpBy: fakeHolds }],
  waivers: [
    { rootKeyId: "ab", spiffeId: "spiffe://cluster.local/gone", atMillis: at, by: "the operator", reason: "lost" },
  ],
  fault: undefined,
};

export const fakePlan: EmergencyPlan = {
  action: "activate",
  rootKeyId: "ab",
  subject: "O=cluster.local,CN=root 2",
  identities: 1,
  breaks: fakeHolds.slice(0, 2),
  confirmation: "activate ab leaving 1 behind",
};

const fakeAuthorityStatus = {
  role: "issuing",
  keyId: "cd",
  keyKind: "P-256",
  state: "active",
  slot: "A",
  subject: "O=cluster.local,CN=issuer cd",
  notBeforeMillis: at,
  notAfterMillis: at,
  keyHeld: true,
} as const;
