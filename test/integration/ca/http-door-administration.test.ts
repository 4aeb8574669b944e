import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { test } from "node:test";
import { askHttp } from "#test/support/ca/ask-http";
import { openDoor } from "#test/support/ca/doors";
import { fakeExplanation, fakeRecord } from "#test/support/ca/fake-authority";
import { openSocketDoor } from "#test/support/ca/open-socket-door";

const at = "2030-01-01T00:00:00.000Z";
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

/** What auditors may read. */
const reads: readonly (readonly [path: string, answer: Record<string, unknown>])[] = [
  [
    "/v1/ca/status",
    {
      trustDomain: "cluster.local",
      authorities: [
        {
          role: "issuing",
          keyId: "cd",
          keyKind: "P-256",
          state: "active",
          slot: "A",
          subject: "O=cluster.local,CN=issuer cd",
          notBefore: at,
          notAfter: at,
          keyHeld: true,
        },
      ],
      bundle: { sequence: 7, anchors: 1, version: "a1b2" },
      rotation: { state: "published", stragglers: 2, firstBreak: at },
      store: {
        schemaVersion: 1,
        generation: 1,
        entries: 3,
        lastHash: "aa",
        lastAt: at,
        lastHead: { number: 2, hash: "bb", at, generation: 1, auditKeyId: "cc" },
        issued: 1,
        unfinished: 0,
        sizeBytes: 4096,
      },
      registrations: 2,
      serverCertificateNotAfter: at,
      issuedSinceStart: 1,
      refusedSinceStart: 2,
      streams: {
        open: 2,
        bundle: { taken: 2, acknowledged: 1 },
        listed: [
          {
            id: 5,
            typeUrl: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
            variant: "delta",
            spiffeId: "spiffe://cluster.local/ns/shop/sa/web",
            fingerprint: "ab12",
            node: "web-1",
            since: at,
            names: [
              {
                name: "ROOTCA",
                sent: "v2",
                acknowledged: "v1",
                acknowledgedAt: at,
                rejected: { version: "v2", message: "not taken", at },
              },
              { name: "ALL" },
            ],
            leftOut: 1,
          },
        ],
      },
      warnings: ["the root ends soon"],
    },
  ],
  ["/v1/ca/certificates", { certificates: [record()] }],
  ["/v1/ca/certificates?limit=1", { certificates: [record()], next: "0a1b" }],
  [
    "/v1/ca/certificates/0a1b",
    {
      ...record(),
      certificate:
        "-----BEGIN CERTIFICATE-----\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\nMDEyMzQ1Njc4OTo7\n-----END CERTIFICATE-----\n",
    },
  ],
  [
    "/v1/ca/explanations/ABCDEF123456",
    {
      id: "ABCDEF123456",
      at,
      code: "csr/signature",
      door: "istio",
      remoteAddress: "10.0.0.1",
      steps: fakeExplanation.steps,
    },
  ],
  [
    "/v1/ca/tokens",
    {
      tokens: [
        {
          hash: "dd",
          spiffeId: fakeRecord.spiffeId,
          created: at,
          expires: at,
          createdBy: "the operator",
          sourceCidrs: ["10.0.0.0/8"],
          used: { at, serial: "0a1b" },
        },
      ],
    },
  ],
  [
    "/v1/ca/entries",
    {
      entries: [
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
          maxTtlSeconds: 3600,
        },
      ],
    },
  ],
  [
    "/v1/ca/revocations",
    {
      revocations: [
        { serial: "0a1b", at, by: "the operator", reason: "lost" },
        { fingerprint: "0a".repeat(32), at, by: "the operator", reason: "lost" },
        { spiffeId: fakeRecord.spiffeId, at, by: "the operator", reason: "gone" },
      ],
    },
  ],
  ["/v1/ca/audit", { ok: false, entries: 3, heads: 1, sealedUpTo: 2, faults: [{ entry: 3, message: "edited" }] }],
];

function record(): Record<string, unknown> {
  return {
    serial: "0a1b",
    spiffeId: fakeRecord.spiffeId,
    state: "issued",
    notBefore: at,
    notAfter: "2030-01-01T00:00:01.000Z",
    dnsNames: ["web.shop"],
    keyKind: "P-256",
    spkiHash: "ab",
    issuerKeyId: "cd",
    requestId: "R1",
    requestedAt: at,
    csrHash: "ef",
    method: "jwt",
    caller: "https://issuer.example web",
    evidence: "01",
    registration: "shop/web",
    nameMismatch: [],
    fingerprint: "02",
  };
}

for (const [path, expected] of reads) {
  test(`GET ${path} is for auditors and operators`, async (t) => {
    const door = await openDoor(t, "http");
    for (const token of ["auditor", "operator"]) {
      const answer = await askHttp(door, `GET ${path}`, undefined, bearer(token));
      assert.deepEqual([answer.status, answer.json], [200, expected]);
      assert.equal((await askHttp(door, `HEAD ${path}`, undefined, bearer(token))).status, 200);
    }
    const answer = await askHttp(await openSocketDoor(t), `GET ${path}`);
    assert.deepEqual([answer.status, answer.json], [200, expected]);
    for (const method of ["GET", "HEAD"]) {
      const nobody = await askHttp(door, `${method} ${path}`);
      assert.equal(nobody.status, 401);
      assert.equal(nobody.headers["www-authenticate"], 'Bearer realm="garita"');
      assert.equal((await askHttp(door, `${method} ${path}`, undefined, bearer("a.workload"))).status, 403);
    }
  });
}

/** What only operators may ask: body, status, answer, and what the authority was told. */
const writes: readonly (readonly [path: string, body: unknown, status: number, answer: unknown, call: unknown])[] = [
  [
    "/v1/ca/tokens",
    { spiffeId: "spiffe://cluster.local/web" },
    201,
    { token: "garita-join-token", expires: at },
    ["createToken", { spiffeId: "spiffe://cluster.local/web", ttlSeconds: undefined, sourceCidrs: [] }, "the operator"],
  ],
  [
    "/v1/ca/tokens",
    { spiffeId: "spiffe://cluster.local/web", ttlSeconds: 60, sourceCidrs: ["10.0.0.0/8"] },
    201,
    { token: "garita-join-token", expires: at },
    [
      "createToken",
      { spiffeId: "spiffe://cluster.local/web", ttlSeconds: 60, sourceCidrs: ["10.0.0.0/8"] },
      "the operator",
    ],
  ],
  [
    "/v1/ca/revocations",
    { serial: "0a1b", reason: "lost" },
    200,
    { revoked: true },
    ["revoke", { kind: "serial", serialHex: "0a1b" }, "lost", "the operator"],
  ],
  [
    "/v1/ca/revocations",
    { fingerprint: "0a".repeat(32), reason: "lost" },
    200,
    { revoked: true },
    ["revoke", { kind: "fingerprint", fingerprint: "0a".repeat(32) }, "lost", "the operator"],
  ],
  [
    "/v1/ca/revocations",
    { spiffeId: "spiffe://cluster.local/web", reason: "gone" },
    200,
    { revoked: true },
    ["revoke", { kind: "identity", spiffeId: "spiffe://cluster.local/web" }, "gone", "the operator"],
  ],
  [
    "/v1/ca/try",
    { spiffeId: "spiffe://cluster.local/web", csr: "PEM" },
    200,
    { steps: fakeExplanation.steps, findings: [] },
    ["dryRun", { spiffeId: "spiffe://cluster.local/web", csrPem: "PEM", ttlSeconds: undefined }],
  ],
  [
    "/v1/ca/issuer",
    undefined,
    200,
    {
      role: "issuing",
      keyId: "cd",
      keyKind: "P-256",
      state: "active",
      slot: "A",
      subject: "O=cluster.local,CN=issuer cd",
      notBefore: at,
      notAfter: at,
      keyHeld: true,
    },
    ["rotateIssuer", "the operator"],
  ],
];

for (const [path, body, status, expected, call] of writes) {
  test(`POST ${path} ${JSON.stringify(body)} is for operators`, async (t) => {
    const door = await openDoor(t, "http");
    for (const [token, refused] of [
      ["auditor", 403],
      ["a.workload", 403],
    ] as const)
      assert.equal((await askHttp(door, `POST ${path}`, body, bearer(token))).status, refused);
    assert.equal((await askHttp(door, `POST ${path}`, body)).status, 401);
    assert.deepEqual(door.calls, []);
    const answer = await askHttp(door, `POST ${path}`, body, bearer("operator"));
    assert.deepEqual([answer.status, answer.json], [status, expected]);
    assert.deepEqual(door.calls, [call]);
    assert.equal((await askHttp(await openSocketDoor(t), `POST ${path}`, body)).status, status);
  });
}

test("a backup is made at the socket alone, which only its owner can open", async (t) => {
  const door = await openDoor(t, "http");
  const refused = await askHttp(door, "POST /v1/ca/backup", { file: "/var/backup" }, bearer("operator"));
  assert.deepEqual([refused.status, refused.json["code"]], [403, "admin/closed"]);
  const socket = await openSocketDoor(t);
  assert.equal((await stat(socket.path)).mode & 0o777, 0o600);
  const answer = await askHttp(socket, "POST /v1/ca/backup", { file: "/var/backup" });
  assert.deepEqual([answer.status, answer.json], [200, { file: "/var/backup" }]);
  assert.deepEqual([...door.calls, ...socket.calls], [["backup", "/var/backup"]]);
});

test("the inventory is asked for with what was asked", async (t) => {
  const door = await openDoor(t, "http");
  const query = async (text: string) => {
    const answer = await askHttp(door, `GET /v1/ca/certificates?${text}`, undefined, bearer("auditor"));
    return answer.status === 200 ? door.calls.at(-1)?.[1] : answer.status;
  };
  assert.deepEqual(await query(""), { limit: 100 });
  assert.deepEqual(
    await query("after=0a&limit=1000&spiffeId=spiffe%3A%2F%2Fa%2Fb&state=issued&revoked=false&newestOnly=true"),
    { after: "0a", limit: 1000, spiffeId: "spiffe://a/b", state: "issued", revoked: false, newestOnly: true },
  );
  assert.deepEqual(await query("endingWithinSeconds=60"), {
    limit: 100,
    endingBefore: { millis: 1_060_000, nowMillis: 1_000_000 },
  });
  const bad = [
    "limit=0",
    "limit=1001",
    "limit=1e3",
    "limit=-1",
    "limit=1&limit=2",
    "after=0A",
    "after=",
    "state=gone",
    "revoked=yes",
    "endingWithinSeconds=-1",
    "endingWithinSeconds=9999999999",
    "other=1",
    "spiffeId=",
    `spiffeId=${"a".repeat(2049)}`,
  ];
  for (const text of bad) assert.equal(await query(text), 400, text);
});
