import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { denyListTypeUrl } from "#ca/deny-list/contract";
import type { IssuanceRecord } from "#ca/store/contract";
import { writePem } from "#ca/x509/pem";
import { CodedError } from "#platform/coded-error";
import { fakeRecord, fakeStream } from "#test/support/ca/fake-authority";
import { makeLeaf } from "#test/support/ca/make-certificate";
import { runAuthority } from "#test/support/ca/running-authority";
import { cli, folderOf } from "#test/support/cli/run-cli";

const hour = 3_600_000;
const id = "spiffe://cluster.local/ns/shop/sa/web";
const record: IssuanceRecord = { ...fakeRecord, notAfterMillis: Date.now() + hour };

test("status: authorities, store and warnings at a glance, and whole as JSON", async (t) => {
  const { admin } = await runAuthority(t);
  const { status, out, err } = await cli(["ca", "status", "--admin", admin]);
  assert.deepEqual([status, err], [0, ""]);
  assert.match(
    out,
    /^trust domain {8}cluster\.local\nbundle {14}1 root, sequence 7\nstreams {13}2 open; bundle a1b2 acknowledged by 1 of 2\nregistrations {7}2\n/,
  );
  assert.match(
    out,
    /\nauthority {2}state {3}key {4}key id {2}key is {2}ends\nissuing A {2}active {2}P-256 {2}cd {6}here {4}2030/,
  );
  assert.match(
    out,
    /\nstream of +node +name +acknowledged +is +since\nspiffe:\/\/cluster\.local\/ns\/shop\/sa\/web +web-1 +ROOTCA +v1 +rejected +2030.*\n.* ALL +nothing +waiting +2030/,
  );
  assert.match(
    out,
    /\n1 stream more\nrejected: {2}ROOTCA by spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web \(web-1\): not taken\n/,
  );
  assert.match(out, /\nwarning: {2}the root ends soon\n$/);
  const json = JSON.parse((await cli(["ca", "status", "--admin", admin, "--format", "json"])).out);
  assert.equal(json.store.lastHead.auditKeyId, "cc");
});

test("status: a stream of the deny list is told from one of secrets", async (t) => {
  const { admin, service } = await runAuthority(t);
  const page = await service.status();
  const [name] = fakeStream.names;
  const listed = [{ ...fakeStream, typeUrl: denyListTypeUrl, names: [{ ...name!, name: "cluster.local" }] }];
  Object.assign(service, { status: async () => ({ ...page, streams: { ...page.streams, listed } }) });
  const { out } = await cli(["ca", "status", "--admin", admin]);
  assert.match(out, / web-1 +deny list of cluster\.local +v1 /);
});

test("colour is for a terminal that wants it", async (t) => {
  const { admin } = await runAuthority(t);
  const terminal = { output: true, errors: true };
  const start = String.fromCharCode(27);
  assert.ok((await cli(["ca", "status", "--admin", admin], { terminal })).out.includes(start));
  const plain = await cli(["ca", "status", "--admin", admin], { terminal, environment: { NO_COLOR: "1" } });
  assert.ok(!plain.out.includes(start));
});

test("the socket is found in the configuration", async (t) => {
  const { admin, folder } = await runAuthority(t);
  const config = (ca: string) =>
    `listeners: [{ name: a, protocol: grpc, address: '127.0.0.1:1' }]\npolicies: { directory: p }\n${ca}`;
  const own = `ca: { trustDomain: cluster.local, store: s, socket: '${join(folder, "ca.sock")}' }\n`;
  const files = await folderOf(t, {
    "garita.yaml": config(own),
    "none.yaml": config(""),
    "bad.yaml": config("ca: {}\n"),
  });
  assert.equal(admin, `unix:${join(folder, "ca.sock")}`);
  assert.equal((await cli(["ca", "status", "-c", `${files}/garita.yaml`])).status, 0);
  const none = await cli(["ca", "status", "-c", `${files}/none.yaml`]);
  assert.deepEqual([none.status, none.out], [2, ""]);
  assert.match(none.err, /has no `ca\.socket`/);
  const bad = await cli(["ca", "status", "-c", `${files}/bad.yaml`]);
  assert.equal(bad.status, 2);
  assert.match(bad.err, /bad\.yaml:3:5: missing key `trustDomain` \[config\/missing-key\]/);
});

test("list: the filters are the service's, and pages follow each other", async (t) => {
  const records = Array.from({ length: 1200 }, (_, i) => ({ ...record, serialHex: (i + 1).toString(16) }));
  const authority = await runAuthority(t, {
    service: {
      async certificates(query) {
        authority.calls.push(["certificates", query]);
        const from =
          query.after === undefined ? 0 : records.findIndex(({ serialHex }) => serialHex === query.after) + 1;
        return records.slice(from, from + query.limit);
      },
    },
  });
  const all = await cli(["ca", "list", "--admin", authority.admin, "--limit", "1100", "--format", "json"]);
  const page = JSON.parse(all.out);
  assert.equal(page.certificates.length, 1100);
  assert.equal(page.next, "44c");
  assert.deepEqual(
    authority.calls.map(([, query]) => (query as { limit: number }).limit),
    [500, 500, 100],
  );
  authority.calls.length = 0;
  const filters = ["--id", id, "--state", "issued", "--revoked", "--newest", "--after", "1", "--limit", "2"];
  const text = await cli(["ca", "list", "--admin", authority.admin, ...filters]);
  assert.deepEqual(authority.calls, [
    ["certificates", { after: "1", limit: 2, spiffeId: id, state: "issued", revoked: true, newestOnly: true }],
  ]);
  assert.match(text.out, /^serial {2}state {3}identity .*\n2 {7}issued {2}spiffe:.*\n3 .*\nmore: --after 3\n$/);
});

test("list: nothing is said to be nothing", async (t) => {
  const { admin } = await runAuthority(t, { service: { certificates: async () => [] } });
  assert.deepEqual(await cli(["ca", "list", "--admin", admin]), { status: 0, out: "none\n", err: "" });
});

test("expiring: 10 when the newest certificate of an identity ends soon, the soonest first; 0 when none does", async (t) => {
  const other = {
    ...record,
    serialHex: "02",
    spiffeId: "spiffe://cluster.local/b",
    notAfterMillis: record.notAfterMillis + hour,
  };
  const self = { ...record, serialHex: "04", spiffeId: "spiffe://cluster.local/garita/ca", method: "self" };
  const renewed = { ...record, serialHex: "03", notAfterMillis: record.notAfterMillis - hour / 2 };
  const authority = await runAuthority(t, {
    service: {
      async certificates(query) {
        authority.calls.push(["certificates", query]);
        assert.deepEqual([query.state, query.revoked], ["issued", false]);
        const all = [self, other, record, renewed].filter(
          ({ spiffeId }) => query.spiffeId === undefined || spiffeId === query.spiffeId,
        );
        return all.slice(0, query.limit);
      },
    },
  });
  const due = await cli(["ca", "expiring", "--within", "72h", "--admin", authority.admin]);
  assert.equal(due.status, 10);
  assert.match(due.out, /^serial.*\n0a1b .*\n02 .*\n$/);
  const [, query] = authority.calls[0] as [string, { endingBefore: { millis: number; nowMillis: number } }];
  assert.equal(query.endingBefore.millis - query.endingBefore.nowMillis, 72 * hour);
  const keys = await cli(["ca", "expiring", "--within", "72h", "--every-key", "--admin", authority.admin]);
  assert.match(keys.out, /^serial.*\n03 .*\n0a1b .*\n02 .*\n$/);
  const none = await runAuthority(t, { service: { certificates: async () => [] } });
  assert.equal((await cli(["ca", "expiring", "--within", "1d", "--admin", none.admin])).status, 0);
  assert.equal((await cli(["ca", "expiring", "--admin", none.admin])).status, 2);
});

test("show: one record with its certificate; a serial that is not there ends with 2", async (t) => {
  const revoked = {
    target: { kind: "serial", serialHex: "0a1b" },
    atMillis: Date.now(),
    by: "ops",
    reason: "lost",
  } as const;
  const { admin } = await runAuthority(t, {
    service: { certificate: async (serial) => (serial === "0a1b" ? { ...record, revoked } : undefined) },
  });
  const { status, out } = await cli(["ca", "show", "0A:1B", "--admin", admin]);
  assert.equal(status, 0);
  assert.match(out, /^identity {4}spiffe:.*\nstate {7}revoked\nrevoked {5}20.* by ops: lost\n/);
  assert.match(out, /\n-----BEGIN CERTIFICATE-----\n/);
  const gone = await cli(["ca", "show", "ff", "--admin", admin]);
  assert.deepEqual([gone.status, gone.out], [2, ""]);
  assert.match(gone.err, /no certificate has this serial \[admin\/not-found\]\n$/);
});

test("token new: the token alone on standard output, once", async (t) => {
  const authority = await runAuthority(t);
  const asking = ["ca", "token", "new", "--id", id, "--ttl", "10m", "--from", "10.0.0.0/8", "--admin", authority.admin];
  const { status, out, err } = await cli(asking);
  assert.deepEqual([status, out], [0, "garita-join-token\n"]);
  assert.match(err, /^for spiffe:.*, once, ends 2030/);
  assert.ok(!err.includes("garita-join-token"));
  assert.deepEqual(authority.calls, [
    ["createToken", { spiffeId: id, ttlSeconds: 600, sourceCidrs: ["10.0.0.0/8"] }, "operator"],
  ]);
  const json = JSON.parse((await cli([...asking, "--format", "json"])).out);
  assert.deepEqual(json, { token: "garita-join-token", expires: "2030-01-01T00:00:00.000Z" });
});

test("token new: what is no token is not printed", async (t) => {
  const createToken = async () => ({ token: "a\u001b[2Jb", expiresMillis: 0 });
  const { admin } = await runAuthority(t, { service: { createToken } });
  const { status, out, err } = await cli(["ca", "token", "new", "--id", id, "--admin", admin]);
  assert.deepEqual([status, out], [1, ""]);
  assert.match(err, /something that is no token \[service\/answer\]\n$/);
});

test("token new: a wish that the authority cannot grant ends with 2", async (t) => {
  const refuse = async () => {
    throw new CodedError("ca-token/identity", "no registration gives it to a join token");
  };
  const { admin } = await runAuthority(t, { service: { createToken: refuse } });
  const { status, out, err } = await cli(["ca", "token", "new", "--id", id, "--admin", admin]);
  assert.deepEqual([status, out], [2, ""]);
  assert.equal(err, "garita: no registration gives it to a join token [ca-token/identity]\n");
});

test("token list: no secret, and what became of each", async (t) => {
  const { admin } = await runAuthority(t);
  const { status, out } = await cli(["ca", "token", "list", "--admin", admin]);
  assert.equal(status, 0);
  assert.match(out, /\ndd {5}used {3}spiffe:.* 10\.0\.0\.0\/8 {2}the operator\n$/);
  assert.equal(
    JSON.parse((await cli(["ca", "token", "list", "--admin", admin, "--format", "json"])).out).tokens.length,
    1,
  );
});

test("revoke: a serial or an identity, with its reason", async (t) => {
  const authority = await runAuthority(t);
  const revoke = (target: string, ...more: string[]) =>
    cli(["ca", "revoke", target, "--admin", authority.admin, ...more]);
  assert.deepEqual(await revoke("0A:1b", "--reason", "lost"), { status: 0, out: "revoked: 0A:1b\n", err: "" });
  assert.equal((await revoke(id, "--reason", "gone")).status, 0);
  assert.deepEqual(authority.calls, [
    ["revoke", { kind: "serial", serialHex: "0a1b" }, "lost", "operator"],
    ["certificates", { limit: 500, spiffeId: id, state: "issued", revoked: false }],
    ["revoke", { kind: "identity", spiffeId: id }, "gone", "operator"],
  ]);
  const fingerprint = "0a1b".repeat(16);
  const byPrint = (...more: string[]) =>
    cli(["ca", "revoke", "--reason", "lost", "--admin", authority.admin, "--fingerprint", ...more]);
  const colons = fingerprint.toUpperCase().replace(/..(?=.)/g, "$&:");
  assert.deepEqual(await byPrint(colons), { status: 0, out: `revoked: ${colons}\n`, err: "" });
  assert.deepEqual(authority.calls.at(-1), ["revoke", { kind: "fingerprint", fingerprint }, "lost", "operator"]);
  for (const [more, told] of [
    [["0a1b"], /expected a SHA-256 in hex/],
    [[fingerprint, "0a1b"], /one of them/],
  ] as const) {
    const odd = await byPrint(...more);
    assert.equal(odd.status, 2);
    assert.match(odd.err, told);
  }
  assert.equal((await cli(["ca", "revoke", "--reason", "lost", "--admin", authority.admin])).status, 2);
  assert.equal((await revoke("0a1b")).status, 2);
  for (const target of ["xyz", "spiffe://cluster.local/a/../b"]) {
    const odd = await revoke(target, "--reason", "x");
    assert.equal(odd.status, 2);
    assert.match(odd.err, /expected a serial number in hex or a SPIFFE ID/);
  }
  const again = await runAuthority(t, { service: { revoke: async () => false } });
  const told = await cli(["ca", "revoke", "0a1b", "--reason", "x", "--admin", again.admin]);
  assert.deepEqual([told.status, told.out], [0, "was revoked before: 0a1b\n"]);
});

test("revoke: after a serial, the certificates that the identity still has are named", async (t) => {
  const other = (serialHex: string, notAfterMillis: number) => ({ ...record, serialHex, notAfterMillis });
  const { notAfterMillis } = record;
  const records = [record, other("0b", notAfterMillis), other("0c", Date.now() - hour), other("0d", notAfterMillis)];
  const { admin } = await runAuthority(t, {
    service: { certificate: async () => record, certificates: async () => records },
  });
  const revoke = (...more: string[]) => cli(["ca", "revoke", "0A:1B", "--reason", "lost", "--admin", admin, ...more]);
  const { status, out, err } = await revoke();
  assert.deepEqual([status, err], [0, ""]);
  assert.equal(out, "revoked: 0A:1B\nnot revoked: 0b, 0d, which the same identity has and which have not ended\n");
  assert.deepEqual(JSON.parse((await revoke("--format", "json")).out), { serial: "0a1b", revoked: true });
});

test("an auditor reads over the network and changes nothing; nobody reads nothing", async (t) => {
  const authority = await runAuthority(t);
  const { cert, key } = await authority.client("spiffe://cluster.local/ns/ops/sa/auditor");
  const by = ["--url", authority.url, "--bundle", authority.bundleFile];
  const own = [...by, "--cert", cert, "--key", key];
  assert.equal((await cli(["ca", "status", ...own])).status, 0);
  const refused = await cli(["ca", "revoke", "0a1b", "--reason", "x", ...own]);
  assert.deepEqual([refused.status, refused.out], [10, ""]);
  assert.match(refused.err, /\[ca-door\/role\]\n$/);
  const nobody = await cli(["ca", "status", ...by]);
  assert.equal(nobody.status, 10);
  assert.match(nobody.err, /\[admin\/credential\]\n$/);
});

test("entries: who may have which identity", async (t) => {
  const { admin } = await runAuthority(t);
  const { status, out } = await cli(["ca", "entries", "--admin", admin]);
  assert.equal(status, 0);
  assert.equal(
    out,
    `spiffe://cluster.local/ns/shop/sa/{[kubernetes.io][serviceaccount][name]}  (shop/web, web.yaml:3)
  for       tokens of https://issuer.example and sub = web
  keys      P-256
  lifetime  at most 1 h
`,
  );
  const none = await runAuthority(t, { service: { entries: () => [] } });
  assert.match((await cli(["ca", "entries", "--admin", none.admin])).out, /^none: /);
});

test("bundle show: at a glance, as PEM, as SPIFFE's JSON", async (t) => {
  const authority = await runAuthority(t);
  const show = (format: string) => cli(["ca", "bundle", "show", "--admin", authority.admin, "--format", format]);
  assert.match((await show("text")).out, /^certificate {2}self-issued authority {2}spiffe:\/\/cluster\.local\n/);
  assert.equal((await show("pem")).out, writePem("CERTIFICATE", authority.root.certificate.der));
  assert.equal(JSON.parse((await show("json")).out).spiffe_sequence, 7);
  assert.equal((await show("xml")).status, 2);
});

test("audit verify: 5 when the log is not whole", async (t) => {
  const broken = await runAuthority(t);
  const told = await cli(["ca", "audit", "verify", "--admin", broken.admin]);
  assert.deepEqual(told, {
    status: 5,
    out: "entry 3  edited\nlog      not whole\nentries  3\nsealed   up to entry 2, by 1 signed head\n",
    err: "",
  });
  const whole = { ok: true, entries: 3, heads: 2, sealedUpTo: 3, faults: [] };
  const fine = await runAuthority(t, { service: { auditReport: async () => whole } });
  const json = await cli(["ca", "audit", "verify", "--admin", fine.admin, "--format", "json"]);
  assert.deepEqual([json.status, JSON.parse(json.out)], [0, whole]);
});

test("explain: the checks in order, what was seen, what was wanted, what mends it", async (t) => {
  const { admin } = await runAuthority(t, {
    service: {
      explanation: async (name) =>
        name === "ABCDEF123456"
          ? {
              id: name,
              atMillis: Date.now() - 1000,
              code: "identity/not-allowed",
              door: "istio",
              remoteAddress: "10.0.0.1",
              steps: [
                { step: "caller", ok: true, seen: "a token of https://i", wanted: "", remedy: "" },
                {
                  step: "identity",
                  ok: false,
                  seen: "spiffe://cluster.local/x",
                  wanted: "spiffe://cluster.local/y",
                  remedy: "garita ca entries",
                },
              ],
            }
          : undefined,
    },
  });
  const { status, out } = await cli(["ca", "explain", "ABCDEF123456", "--admin", admin]);
  assert.equal(status, 0);
  assert.match(
    out,
    /^refused {2}the caller may not have this identity \[identity\/not-allowed\]\nwhen {5}20.* ago\)\ncame to {2}istio from 10\.0\.0\.1\n\nok {7}caller: a token of https:\/\/i\nrefused {2}identity\n {9}seen {4}spiffe:.*\/x\n {9}wanted {2}spiffe:.*\/y\n {9}mend {4}garita ca entries\n$/,
  );
  assert.equal((await cli(["ca", "explain", "ffffff", "--admin", admin])).status, 2);
});

test("try: refused ends with 10, an objecting lint with 5, else the certificate is shown", async (t) => {
  const refused = await runAuthority(t);
  const asking = ["ca", "try", "--id", id];
  const told = await cli([...asking, "--admin", refused.admin, "--ttl", "2h"]);
  assert.equal(told.status, 10);
  assert.match(told.out, /^would be refused\n\nrefused {2}signature\n {9}seen {4}another key's\n/);
  const [[name, request] = []] = refused.calls;
  assert.equal(name, "dryRun");
  const given = request as { spiffeId: string; ttlSeconds: number; csrPem: string };
  assert.deepEqual([given.spiffeId, given.ttlSeconds], [id, 7200]);
  assert.match(given.csrPem, /^-----BEGIN CERTIFICATE REQUEST-----/);

  const certificatePem = writePem("CERTIFICATE", makeLeaf(refused.issuing, { uri: id }).der);
  const findings = [{ lint: "a_lint", citation: "RFC 0", message: "odd" }];
  for (const [objecting, status] of [
    [[], 0],
    [findings, 5],
  ] as const) {
    const dryRun = async () => ({ steps: [], certificatePem, findings: objecting });
    const authority = await runAuthority(t, { service: { dryRun } });
    const tried = await cli([...asking, "--admin", authority.admin]);
    assert.equal(tried.status, status);
    assert.match(tried.out, /^would be issued\n[\s\S]*\ncertificate {4}leaf {2}spiffe:/);
    assert.equal(tried.out.includes("lint a_lint  odd (RFC 0)\n"), status === 5);
  }
});

test("rotate and backup", async (t) => {
  const authority = await runAuthority(t);
  const rotated = await cli(["ca", "rotate", "--admin", authority.admin]);
  assert.equal(rotated.status, 0);
  assert.match(rotated.out, /^active: issuing authority cd, P-256, ends 2030/);
  const file = join(authority.folder, "backup.sqlite");
  assert.match((await cli(["ca", "backup", file, "--admin", authority.admin])).out, /^written: \S+backup\.sqlite /);
  assert.deepEqual(authority.calls, [
    ["rotateIssuer", "operator"],
    ["backup", file],
  ]);
  const fail = async () => {
    throw new CodedError("ca-authority/root-expiring", "the root ends in 3 h");
  };
  const old = await runAuthority(t, { service: { rotateIssuer: fail } });
  const told = await cli(["ca", "rotate", "--admin", old.admin]);
  assert.deepEqual([told.status, told.err], [1, "garita: the root ends in 3 h [ca-authority/root-expiring]\n"]);
});

test("nobody there, and somebody else there, end with 1", async (t) => {
  const { folder } = await runAuthority(t);
  const gone = await cli(["ca", "status", "--admin", `unix:${join(folder, "gone.sock")}`]);
  assert.deepEqual([gone.status, gone.out], [1, ""]);
  assert.match(gone.err, /cannot be asked: .* \[service\/unreachable\]\n$/);
  for (const body of ["hello", "{}", '{"code":1}']) {
    const path = join(folder, `other-${body.length}.sock`);
    const server = createServer((socket) => {
      socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    t.after(() => server.close());
    const other = await cli(["ca", "status", "--admin", `unix:${path}`]);
    assert.deepEqual([other.status, other.out], [1, ""], body);
    assert.match(other.err, /\[service\/answer\]\n$/);
  }
});

test("without a subcommand the help is shown, with the status of wrong usage", async () => {
  for (const args of [["ca"], ["ca", "token"], ["ca", "bundle"], ["ca", "audit"]]) {
    const { status, out, err } = await cli(args);
    assert.deepEqual([status, out], [2, ""], args.join(" "));
    assert.match(err, /^Usage: garita ca /);
  }
  assert.equal((await cli(["ca", "isue"])).status, 2);
});
