import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { buildCsr } from "#ca/csr/build-csr";
import { writePem } from "#ca/x509/pem";
import { runAuthority } from "#test/support/ca/running-authority";
import { cli } from "#test/support/cli/run-cli";

const id = "spiffe://cluster.local/ns/shop/sa/web";
const names = ["cert-chain.pem", "key.pem", "root-cert.pem"];

test("issue: over the socket a key, its chain and the roots are written, the key for its owner alone", async (t) => {
  const authority = await runAuthority(t);
  const out = join(authority.folder, "out");
  const ran = await cli(["ca", "issue", "--admin", authority.admin, "--id", id, "--ttl", "1h", "-o", out]);
  assert.deepEqual([ran.status, ran.err], [0, ""]);
  assert.deepEqual((await readdir(out)).sort(), names);
  assert.equal((await stat(join(out, "key.pem"))).mode & 0o777, 0o600);
  const chain = await readFile(join(out, "cert-chain.pem"), "utf8");
  const leaf = new X509Certificate(chain);
  assert.equal(leaf.subjectAltName, `URI:${id}`);
  assert.ok(leaf.checkPrivateKey(createPrivateKey(await readFile(join(out, "key.pem")))));
  assert.equal(chain.match(/BEGIN CERTIFICATE/g)?.length, 2);
  const root = new X509Certificate(await readFile(join(out, "root-cert.pem")));
  assert.ok(Buffer.from(authority.root.certificate.der).equals(root.raw));
  const [asked] = authority.asked;
  assert.deepEqual([asked?.spiffeId, asked?.ttlSeconds, asked?.credentials.operatorSocket], [id, 3600, true]);
  assert.match(
    ran.out,
    /^issued {2}spiffe:.*\n {2}serial {2}[0-9a-f]+\n {2}ends {4}20.*Z \(in 5[0-9] m .*\)\n {2}renew {3}20/,
  );
});

test("issue: files that are there stay, and nothing is asked; with --force they are written anew", async (t) => {
  const authority = await runAuthority(t);
  const key = join(authority.folder, "key.pem");
  await writeFile(key, "old");
  const asking = ["ca", "issue", "--admin", authority.admin, "--id", id, "-o", authority.folder];
  const kept = await cli(asking);
  assert.deepEqual(
    [kept.status, kept.out, kept.err],
    [1, "", `garita: \`${key}\` is there already: \`--force\` goes over it [output/exists]\n`],
  );
  assert.deepEqual([authority.asked.length, await readFile(key, "utf8")], [0, "old"]);
  assert.equal((await cli([...asking, "--force"])).status, 0);
  assert.match(await readFile(key, "utf8"), /^-----BEGIN PRIVATE KEY-----/);
});

test("issue: with a join token the root is fetched, compared and only then believed", async (t) => {
  const authority = await runAuthority(t);
  const { token, url, folder } = authority;
  const ran = await cli(["ca", "issue", "--url", url, "--token-file", "-", "-o", folder], { input: `${token}\n` });
  assert.deepEqual([ran.status, ran.err], [0, ""]);
  assert.equal(authority.asked[0]?.credentials.bearer, token);
  assert.equal(authority.asked[0]?.spiffeId, undefined);
  assert.ok(!ran.out.includes(token));
});

test("issue: the root of another authority is told nothing", async (t) => {
  const authority = await runAuthority(t);
  const stranger = authority.token.replace(/~[^~]+$/, `~${Buffer.alloc(32, 1).toString("base64url")}`);
  const ran = await cli(["ca", "issue", "--url", authority.url, "--token-file", "-", "-o", authority.folder], {
    input: stranger,
  });
  assert.deepEqual([ran.status, ran.out], [1, ""]);
  assert.match(ran.err, /has not the root that the token names /);
  assert.ok(ran.err.endsWith(" [service/root]\n"));
  assert.deepEqual(authority.asked, []);
  assert.ok(!ran.err.includes(stranger));
});

test("issue: the server's certificate must have the name that was asked, token or not", async (t) => {
  const authority = await runAuthority(t);
  const url = authority.url.replace("localhost", "127.0.0.2");
  for (const more of [[], ["--bundle", authority.bundleFile]]) {
    const args = ["ca", "issue", "--url", url, "--token-file", "-", "-o", authority.folder, ...more];
    const ran = await cli(args, { input: authority.token });
    assert.equal(ran.status, 1);
    assert.match(ran.err, /\[service\/unreachable\]\n$/);
  }
  assert.deepEqual(authority.asked, []);
});

test("issue: a token of an issuer, and a certificate, need the roots", async (t) => {
  const authority = await runAuthority(t);
  const out = ["-o", authority.folder, "--force"];
  const bare = await cli(["ca", "issue", "--url", authority.url, "--token-file", "-", ...out], { input: "a.b.c" });
  assert.equal(bare.status, 2);
  assert.match(bare.err, /names no root: expected --bundle/);
  const bundle = ["--url", authority.url, "--bundle", authority.bundleFile];
  const jwt = await cli(["ca", "issue", ...bundle, "--token-file", "-", ...out], { input: "a.b.c" });
  assert.deepEqual([jwt.status, jwt.err], [0, ""]);
  const { cert, key } = await authority.client(id);
  const renewed = await cli(["ca", "issue", ...bundle, "--cert", cert, "--key", key, ...out]);
  assert.deepEqual([renewed.status, renewed.err], [0, ""]);
  assert.deepEqual(
    authority.asked.map(({ credentials }) => [credentials.bearer, credentials.clientCertificates.length]),
    [
      ["a.b.c", 0],
      [undefined, 2],
    ],
  );
});

test("issue: other kinds of keys", async (t) => {
  const authority = await runAuthority(t);
  const asking = ["ca", "issue", "--admin", authority.admin, "--id", id, "-o", authority.folder, "--force"];
  for (const [kind, type] of [
    ["P-384", "ec"],
    ["RSA-2048", "rsa"],
  ] as const) {
    const { status, out } = await cli([...asking, "--key-kind", kind, "--format", "json"]);
    assert.equal(status, 0);
    const { files, serial } = JSON.parse(out);
    assert.match(serial, /^[0-9a-f]+$/);
    assert.equal(createPrivateKey(await readFile(files.key)).asymmetricKeyType, type);
  }
});

test("issue: a refusal ends with 10 and names its explanation; what may pass on its own ends with 1", async (t) => {
  for (const [code, status] of [
    ["identity/not-allowed", 10],
    ["caller/none", 10],
    ["ttl/too-long", 10],
    ["authority/none", 1],
    ["rate/overload", 1],
    ["issue/defect", 1],
  ] as const) {
    const answer = () => ({ ok: false, code, explanationId: "ABCDEF123456", retryAfterMillis: undefined }) as const;
    const authority = await runAuthority(t, { answer });
    const ran = await cli(["ca", "issue", "--admin", authority.admin, "--id", id, "-o", authority.folder]);
    assert.deepEqual([ran.status, ran.out], [status, ""], code);
    assert.match(
      ran.err,
      new RegExp(`^garita: .* \\[${code}\\]\n  .*\n  \`garita ca explain ABCDEF123456\` tells every check\n$`),
    );
    assert.deepEqual(
      (await readdir(authority.folder)).filter((name) => names.includes(name)),
      [],
    );
  }
});

test("issue: a certificate of another key is not taken, and nothing is written", async (t) => {
  const real = await runAuthority(t);
  const answer = await real.service.issue({ ...emptyRequest, csrPem: csrPem() });
  const authority = await runAuthority(t, { answer: () => answer });
  const ran = await cli(["ca", "issue", "--admin", authority.admin, "--id", id, "-o", authority.folder]);
  assert.equal(ran.status, 1);
  assert.match(ran.err, /a certificate of another key \[service\/answer\]\n$/);
  assert.ok(!(await readdir(authority.folder)).includes("key.pem"));
});

test("issue: another identity than the one asked for, and a chain that is none, are not taken", async (t) => {
  const real = await runAuthority(t);
  const good = await real.service.issue({ ...emptyRequest, csrPem: csrPem() });
  assert.ok(good.ok);
  for (const [answer, says] of [
    [{ ...good, spiffeId: `${id}-other` }, /answered with the identity `\S+-other`, not /],
    [{ ...good, chain: ["x", "y"] }, /answered with no chain: expected -----BEGIN CERTIFICATE-----/],
    [{ ...good, chain: good.chain.slice(0, 1) }, /answered with no chain/],
  ] as const) {
    const authority = await runAuthority(t, { answer: () => answer });
    const ran = await cli(["ca", "issue", "--admin", authority.admin, "--id", id, "-o", join(authority.folder, "out")]);
    assert.deepEqual([ran.status, ran.out], [1, ""]);
    assert.match(ran.err, says);
    assert.deepEqual(await readdir(join(authority.folder, "out")), []);
  }
});

function csrPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return writePem("CERTIFICATE REQUEST", buildCsr(privateKey, id));
}

const emptyRequest = {
  ttlSeconds: undefined,
  spiffeId: id,
  credentials: { clientCertificates: [], bearer: undefined, operatorSocket: true, remoteAddress: undefined },
  door: "socket",
  certSigner: undefined,
  impersonatedIdentity: undefined,
};

test("sign: the chain goes to standard output, or into a folder", async (t) => {
  const authority = await runAuthority(t);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const input = writePem("CERTIFICATE REQUEST", buildCsr(privateKey, undefined));
  const asking = ["ca", "sign", "-", "--admin", authority.admin, "--id", id];
  const { status, out, err } = await cli(asking, { input });
  assert.deepEqual([status, err], [0, ""]);
  assert.ok(new X509Certificate(out).checkPrivateKey(privateKey));
  assert.equal(out.match(/BEGIN CERTIFICATE/g)?.length, 2);
  const written = await cli([...asking, "-o", authority.folder], { input });
  assert.equal(written.status, 0);
  assert.match(written.out, /files {3}\S+cert-chain\.pem, \S+root-cert\.pem\n$/);
  const again = await cli([...asking, "-o", authority.folder], { input });
  assert.deepEqual([again.status, again.out], [1, ""]);
  const json = JSON.parse((await cli([...asking, "--format", "json"], { input })).out);
  assert.equal(json.chain.length, 3);
  // What is no request stays here: it may be a private key.
  const notOne = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const broken = await cli(asking, { input: notOne });
  assert.equal(broken.status, 2);
  assert.match(broken.err, /`-` is no certificate request that is taken: /);
});

test("what cannot be understood ends with 2", async (t) => {
  const authority = await runAuthority(t);
  const { admin, url, bundleFile } = authority;
  for (const [args, says] of [
    [["ca", "issue", "--admin", admin, "--id", "x"], /expected a SPIFFE ID for --id, found `x`/],
    [["ca", "issue", "--admin", admin, "--ttl", "soon"], /expected a duration/],
    [["ca", "issue", "--admin", "tcp:x"], /expected `unix:PATH` for --admin/],
    [["ca", "issue", "--admin", admin, "--url", url], /expected one of --admin and --url/],
    [["ca", "issue", "--url", "http://localhost:1"], /expected `https:\/\/host:port` for --url/],
    [["ca", "issue", "--url", url], /expected --bundle with --url/],
    [["ca", "issue", "--url", url, "--bundle", bundleFile, "--cert", "c"], /expected --cert and --key together/],
    [["ca", "issue", "--url", url, "--bundle", "gone.pem"], /`gone\.pem` cannot be read/],
    [["ca", "issue", "--admin", admin, "--bundle", bundleFile], /`--bundle` is for --url/],
    [["ca", "issue", "--admin", admin, "--token-file", "-"], /`--token-file` is for --url/],
    [["ca", "issue", "--url", url, "--token-file", "-", "--cert", "c"], /expected one of --cert and --token-file/],
    [["ca", "issue", "--url", url, "--token-file", "-"], /`-` holds no token/],
    [["ca", "issue", "-c", "/gone/garita.yaml"], /no authority to ask/],
  ] as const) {
    const ran = await cli([...args, "-o", authority.folder]);
    assert.deepEqual([ran.status, ran.out], [2, ""], args.join(" "));
    assert.match(ran.err, says);
  }
});
