import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import type { IssuingAuthority } from "#ca/authorities/contract";
import { renderBundleJwks } from "#ca/bundle/render-jwks";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { proveCsr } from "#ca/csr/prove-csr";
import { certify } from "#ca/issuance/certify";
import { Grant } from "#ca/issuance/grant";
import type { Lifetime } from "#ca/issuance/lifetime";
import type { Progress } from "#ca/issuance/progress";
import { createAdmission } from "#ca/limits/admission";
import { serveHttp } from "#ca/transport/http/serve";
import { encodeName } from "#ca/x509/name";
import { parseSpiffeId } from "#identity/spiffe-id";
import { defaultDoorLimits } from "#platform/door/door";
import { createLog } from "#platform/log";
import { askHttp } from "#test/support/ca/ask-http";
import {
  endScene,
  entry,
  newCsr,
  nobody,
  openScene,
  operator,
  type Scene,
  sceneDomain,
  testScene,
  webId,
} from "#test/support/ca/scene";
import {
  enrolIn,
  issueIn,
  presenting,
  readIssued,
  recordsIn,
  refuseIn,
  tokenIn,
} from "#test/support/ca/scene-requests";

const ids = ["web", "db", "auditor", "operator"].map((name) => `spiffe://${sceneDomain}/ns/hello/sa/${name}`);
const [, databaseId, auditorId, operatorId] = ids as [string, string, string, string];
const entries = ids.map((id) => entry(id));

const badName = "spiffe://hello.mesh/ns/hello/sa/bad-name";
const configuration = {
  admins: [
    { spiffeId: auditorId, role: "auditor" as const },
    { spiffeId: operatorId, role: "operator" as const },
  ],
};
let scene: Scene;
before(async () => {
  const wrong = entry(badName, { dnsNames: ["under_score.hello.mesh"] });
  scene = await openScene({ entries: [...entries, wrong], configuration, serverNames: ["localhost"] });
});
after(() => endScene(scene));

const wide = { perAddressPerSecond: 1e6, perAddressBurst: 1e6, perCallerPerSecond: 1e6, perCallerBurst: 1e6 };

test("T18: an address that asks in a storm is refused before anything is looked at, and nobody else is", async (t) => {
  let now = 1_000;
  const limited = await testScene(t, {
    entries,
    configuration: { rates: { ...wide, perAddressPerSecond: 1, perAddressBurst: 5 } },
    monotonicMillis: () => now,
  });
  const from = (remoteAddress: string | undefined) => ({ ...nobody, bearer: "no token", remoteAddress });
  const codesOf = async (count: number, remoteAddress: string | undefined) => {
    const requests = Array.from({ length: count }, () => limited.issue({ credentials: from(remoteAddress) }));
    return (await Promise.all(requests)).map((answer) => (answer.ok ? "issued" : answer.code));
  };
  const storm = [...Array(5).fill("caller/refused"), ...Array(20).fill("rate/address")];
  assert.deepEqual(await codesOf(25, "192.0.2.1"), storm);
  assert.deepEqual(await codesOf(1, "192.0.2.2"), ["caller/refused"]);
  // The same address in another form, and all addresses of one machine.
  assert.deepEqual(await codesOf(1, "::ffff:192.0.2.1"), ["rate/address"]);
  assert.deepEqual(await codesOf(25, "2001:db8:0:1::1"), storm);
  assert.deepEqual(await codesOf(1, "2001:db8:0:1:ffff::2"), ["rate/address"]);
  assert.deepEqual(await codesOf(1, "2001:db8:0:2::1"), ["caller/refused"]);
  const refused = await limited.issue({ credentials: from("192.0.2.1") });
  assert.ok(!refused.ok && refused.retryAfterMillis !== undefined && refused.retryAfterMillis <= 1_000);
  now += refused.retryAfterMillis;
  assert.deepEqual(await codesOf(2, "192.0.2.1"), ["caller/refused", "rate/address"]);
  // The operator's socket is no stranger's.
  for (let i = 0; i < 20; i++)
    await issueIn(limited, { csrPem: newCsr().csrPem, credentials: operator, spiffeId: webId });
});

test("T18: a client that renews in a loop is stopped by its identity, whatever its certificates and addresses are", async (t) => {
  let now = 1_000;
  const limited = await testScene(t, {
    entries,
    configuration: { rates: { ...wide, perCallerPerSecond: 1, perCallerBurst: 5 } },
    monotonicMillis: () => now,
  });
  let { chain } = await enrolIn(limited, webId);
  const other = await enrolIn(limited, databaseId);
  let [issued, refused] = [0, 0];
  for (let i = 0; i < 40; i++) {
    now += 100;
    const credentials = { ...presenting(chain), remoteAddress: `192.0.2.${i}` };
    const answer = await limited.issue({ csrPem: newCsr().csrPem, credentials });
    if (answer.ok) {
      issued++;
      ({ chain } = await readIssued(limited, answer));
    } else {
      refused++;
      assert.equal(answer.code, "rate/caller");
      assert.ok((answer.retryAfterMillis ?? 0) > 0);
    }
  }
  // Four seconds: the burst, of which the enrolment took one, and one a second.
  assert.ok(issued >= 5 && issued <= 9, `${issued} issued, ${refused} refused`);
  await issueIn(limited, { csrPem: newCsr().csrPem, credentials: presenting(other.chain) });
  const records = await recordsIn(limited);
  assert.equal(records.filter(({ spiffeId }) => spiffeId === webId).length, issued + 1);
});

const { log } = createLog({ level: "silent" });

test("T22: auditors read, operators act, and nobody else does either: over TLS, by their own certificates alone", async (t) => {
  const { certPem, keyPem } = scene.authority.serverCertificate!;
  const door = await serveHttp(
    {
      service: scene.authority.service,
      version: "0.0.0-test",
      nowMillis: Date.now,
      renderPem: renderBundlePem,
      renderJwks: (bundle) => renderBundleJwks(bundle, 300),
      hosts: undefined,
    },
    {
      name: "test",
      address: { kind: "tcp", host: "127.0.0.1", port: 0 },
      tls: { cert: certPem, key: keyPem },
      limits: defaultDoorLimits,
      log,
    },
  );
  t.after(() => door.stop(AbortSignal.abort()));
  const ca = renderBundlePem(scene.authority.service.bundle());
  const client = async (id: string) => {
    const { answer, privateKey } = await enrolIn(scene, id);
    const cert = answer.chain.slice(0, -1).join("");
    return { ca, cert, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  };
  const clients = {
    auditor: await client(auditorId),
    operator: await client(operatorId),
    workload: await client(webId),
    nobody: { ca },
    token: { ca, headers: { authorization: `Bearer ${await tokenIn(scene, operatorId)}` } },
  };
  const reads = [
    "GET /v1/ca/status",
    "GET /v1/ca/certificates",
    "GET /v1/ca/tokens",
    "GET /v1/ca/entries",
    "GET /v1/ca/revocations",
    "GET /v1/ca/audit",
  ];
  const acts: readonly (readonly [string, object])[] = [
    ["POST /v1/ca/tokens", { spiffeId: webId }],
    ["POST /v1/ca/revocations", { serial: "00", reason: "test" }],
    ["POST /v1/ca/try", { spiffeId: webId, csr: newCsr().csrPem }],
    ["POST /v1/ca/issuer", {}],
    ["POST /v1/ca/backup", { file: "/nowhere/backup.db" }],
  ];
  const statusOf = async (what: string, who: keyof typeof clients, body?: object) =>
    (await askHttp({ door }, what, body, clients[who])).status;
  const before = await scene.store.status();
  for (const what of reads) {
    assert.equal(await statusOf(what, "auditor"), 200, what);
    assert.equal(await statusOf(what, "operator"), 200, what);
    assert.equal(await statusOf(what, "workload"), 403, what);
    assert.equal(await statusOf(what, "nobody"), 401, what);
    assert.equal(await statusOf(what, "token"), 403, what);
  }
  for (const [what, body] of acts) {
    for (const who of ["auditor", "workload", "token"] as const)
      assert.equal(await statusOf(what, who, body), 403, `${what} ${who}`);
    assert.equal(await statusOf(what, "nobody", body), 401, what);
  }
  assert.equal((await scene.store.status()).entries, before.entries, "nothing was done");
  assert.equal(await statusOf("POST /v1/ca/tokens", "operator", { spiffeId: webId }), 201);
  assert.equal(await statusOf("POST /v1/ca/backup", "operator", { file: "/nowhere/backup.db" }), 403);
});

/** What `certify` is called with for a caller that was decided on, with one thing of it broken. */
async function certifyWith(
  change: (issuing: IssuingAuthority) => Partial<IssuingAuthority>,
  lifetimeChange: Partial<Lifetime> = {},
) {
  const { issuing } = scene.authority.authorities.current();
  assert.ok(issuing !== undefined);
  const parsed = parseCsr(newCsr().csrPem);
  const id = parseSpiffeId(webId);
  assert.ok(parsed.ok && id.ok);
  const proven = proveCsr(parsed.csr, new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 1 }));
  assert.ok(proven.ok);
  const second = Math.floor(Date.now() / 1000) * 1000;
  const lifetime = { notBeforeMillis: second, notAfterMillis: second + 3_600_000, ...lifetimeChange };
  const grant = Grant.toCaller(id.id, entry(webId), proven.csr, lifetime);
  const progress: Progress = {};
  let signed = 0;
  const changed: IssuingAuthority = { ...issuing, ...change(issuing) };
  const authority: IssuingAuthority = {
    ...changed,
    sign(linted) {
      signed++;
      return changed.sign(linted);
    },
  };
  const evidence = {
    method: "operator",
    caller: "operator",
    evidence: "",
    registration: "test",
    nameMismatch: [],
    bundleSequence: 1,
    csrHash: "",
  };
  const parts = {
    store: scene.store,
    admission: createAdmission({
      settings: () => ({ inFlight: 1, waiting: 1, waitingBytes: 1 }),
      monotonicMillis: () => 0,
      nextTurn: setImmediate,
    }),
    nowMillis: Date.now,
    randomBytes,
    abandonments: { add: (serialHex: string) => void assert.fail(`${serialHex} was left open`) },
    nextId: () => "TEST",
  };
  const outcome = await certify(parts, authority, grant, evidence, undefined, progress);
  const code = outcome.ok ? "issued" : outcome.refusal.code;
  const record = progress.serialHex === undefined ? undefined : await scene.store.issuance(progress.serialHex);
  return { code, seen: outcome.ok ? "" : outcome.refusal.seen, signed, record };
}

const day = 24 * 3_600_000;

test("T23: a defect of ours in what is built is found by the lints before it is recorded or signed", async () => {
  const broken: readonly (readonly [string, Parameters<typeof certifyWith>])[] = [
    ["issuer", [({ names }) => ({ names: { ...names, subjectDer: encodeName("hello.mesh", "somebody else") } })]],
    ["authority_key_id", [({ names }) => ({ names: { ...names, subjectKeyId: randomBytes(20) } })]],
    ["signature_algorithm", [({ names }) => ({ names: { ...names, keyKind: "P-384" as const } })]],
    ["key_of_signer", [() => ({ keyKind: "P-384" as const })]],
    ["not_after", [() => ({}), { notAfterMillis: Date.now() + 400 * day }]],
    ["not_before", [() => ({}), { notBeforeMillis: Date.now() - 400 * day }]],
    ["validity_order", [() => ({}), { notAfterMillis: Date.now() - day, notBeforeMillis: Date.now() }]],
  ];
  const before = (await recordsIn(scene)).length;
  for (const [lint, given] of broken) {
    const { code, seen, signed, record } = await certifyWith(...given);
    assert.deepEqual([code, signed, record], ["issue/lint", 0, undefined], lint);
    assert.match(seen, new RegExp(lint));
  }
  assert.equal((await recordsIn(scene)).length, before);
});

test("T23: a registration that nobody should have let through gives no certificate that breaks a rule", async () => {
  const { code, explanation } = await refuseIn(scene, {
    csrPem: newCsr().csrPem,
    credentials: operator,
    spiffeId: badName,
  });
  assert.equal(code, "issue/lint");
  assert.match(explanation.steps.at(-1)!.seen, /dns/);
  assert.ok((await recordsIn(scene)).every(({ spiffeId }) => spiffeId !== badName));
});

test("T23: a key or a memory that fails while it signs hands nothing out, and the intent is written off", async () => {
  const { chain } = await issueIn(scene, { csrPem: newCsr().csrPem, credentials: operator, spiffeId: webId });
  const flipped = (der: Uint8Array, at: number) => {
    const changed = new Uint8Array(der);
    changed[(changed.length + at) % changed.length]! ^= 1;
    return changed;
  };
  const broken: readonly (readonly [RegExp, (issuing: IssuingAuthority) => Partial<IssuingAuthority>])[] = [
    [/does not verify/, ({ sign }) => ({ sign: (linted) => flipped(sign(linted), -1) })],
    [/not those that were linted/, ({ sign }) => ({ sign: (linted) => flipped(sign(linted), 20) })],
    [/not those that were linted/, () => ({ sign: () => chain[0]! })],
    [/cannot be read/, () => ({ sign: () => randomBytes(500) })],
    [/cannot be read/, () => ({ sign: () => new Uint8Array() })],
    [/cannot be read/, ({ sign }) => ({ sign: (linted) => Uint8Array.of(...sign(linted), 0) })],
  ];
  for (const [message, change] of broken) {
    const { code, seen, signed, record } = await certifyWith(change);
    assert.deepEqual([code, signed], ["issue/defect", 1]);
    assert.match(seen, message);
    assert.deepEqual([record?.state, record?.certificateDer, record?.fingerprint], ["abandoned", undefined, undefined]);
  }
  const { code, record } = await certifyWith(() => ({}));
  assert.deepEqual([code, record?.state], ["issued", "issued"]);
  assert.equal(record?.fingerprint, createHash("sha256").update(record!.certificateDer!).digest("hex"));
  assert.deepEqual((await scene.authority.service.auditReport()).faults, []);
});
