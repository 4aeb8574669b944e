import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { cli } from "#test/support/cli/run-cli";
import { tempFolder } from "#test/support/service/temp-folder";

interface Place {
  readonly folder: string;
  readonly config: string;
  readonly store: string;
}

async function place(t: TestContext, more = "keyEncryptionKeyFile: kek"): Promise<Place> {
  const folder = await tempFolder(t);
  await chmod(folder, 0o700);
  const config = join(folder, "garita.yaml");
  await writeFile(
    config,
    `listeners: [{ name: a, protocol: grpc, address: '127.0.0.1:1' }]
policies: { directory: p }
ca: { trustDomain: cluster.local, store: state/ca.sqlite, socket: ca.sock, ${more} }
`,
  );
  return { folder, config, store: join(folder, "state/ca.sqlite") };
}

const init = ({ config }: Place, ...more: string[]) => cli(["ca", "init", "-c", config, ...more]);
const openssl = (cwd: string, ...args: string[]) => execFileSync("openssl", args, { cwd, stdio: "pipe" }).toString();

test("init: a key-encryption key, a store, a root and an issuing authority; once", async (t) => {
  const at = await place(t);
  const bare = await init(at);
  assert.deepEqual([bare.status, bare.out], [1, ""]);
  assert.match(bare.err, /\[ca-key\/no-encryption-key\]\n$/);
  const made = await init(at, "--new-key-encryption-key");
  assert.deepEqual([made.status, made.err], [0, ""]);
  assert.match(
    made.out,
    /^trust domain {2}cluster\.local\nstore {9}\S+\nroot SHA-256 {2}[0-9a-f]{64}\n\nauthority {2}state/,
  );
  assert.match(
    made.out,
    /\nroot {7}active {2}P-256 {2}here {4}O=cluster\.local, CN=root 1 .*\nissuing {4}active {2}P-256 {2}here/,
  );
  for (const [file, mode] of [
    ["kek", 0o600],
    ["state/ca.sqlite", 0o600],
    ["state", 0o700],
  ] as const) {
    assert.equal((await stat(join(at.folder, file))).mode & 0o777, mode, file);
  }
  const key = (await readFile(join(at.folder, "kek"), "utf8")).trim();
  assert.equal(Buffer.from(key, "base64").length, 32);
  assert.ok(!made.out.includes(key));
  const again = await init(at);
  assert.deepEqual([again.status, again.out], [1, ""]);
  assert.match(again.err, /\[ca-authority\/exists\]\n$/);
  const other = await init(at, "--new-key-encryption-key");
  assert.match(other.err, /kek` is there already \[output\/exists\]\n$/);
  assert.equal((await readFile(join(at.folder, "kek"), "utf8")).trim(), key);
  await rm(join(at.folder, "kek"));
  const lost = await init(at, "--new-key-encryption-key");
  assert.equal(lost.status, 2);
  assert.match(lost.err, /is gone from `.*kek`: a new one opens nothing/);
  assert.ok(!existsSync(join(at.folder, "kek")));
});

test("init: kinds of keys, the environment's key, and JSON", async (t) => {
  const at = await place(t, "");
  const environment = { GARITA_CA_KEY_ENCRYPTION_KEY: "a secret that is long enough" };
  const args = [
    "ca",
    "init",
    "-c",
    at.config,
    "--root-key-kind",
    "P-384",
    "--key-kind",
    "RSA-2048",
    "--format",
    "json",
  ];
  const { status, out } = await cli(args, { environment });
  assert.equal(status, 0);
  const { authorities, roots } = JSON.parse(out);
  assert.deepEqual(
    authorities.map(({ role, keyKind }: { role: string; keyKind: string }) => [role, keyKind]),
    [
      ["root", "P-384"],
      ["issuing", "RSA-2048"],
    ],
  );
  assert.equal(roots.length, 1);
  assert.equal((await init(at, "--new-key-encryption-key")).status, 2);
});

test("init: Istio's cacerts are taken over", async (t) => {
  const at = await place(t);
  const cacerts = join(at.folder, "cacerts");
  await mkdir(cacerts);
  const ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "90"];
  openssl(
    cacerts,
    "req",
    "-x509",
    ...newKey,
    "-subj",
    "/O=Istio/CN=Root",
    ...ca,
    "-keyout",
    "root.key",
    "-out",
    "root-cert.pem",
  );
  const issuer = ["-CA", "root-cert.pem", "-CAkey", "root.key"];
  openssl(
    cacerts,
    "req",
    "-x509",
    ...newKey,
    ...issuer,
    "-subj",
    "/O=Istio/CN=Intermediate",
    ...ca,
    "-keyout",
    "ca-key.pem",
    "-out",
    "ca-cert.pem",
  );
  await writeFile(join(cacerts, "cert-chain.pem"), await readFile(join(cacerts, "ca-cert.pem")));
  const taken = await init(at, "--new-key-encryption-key", "--import-cacerts", cacerts);
  assert.deepEqual([taken.status, taken.err], [0, ""]);
  assert.match(
    taken.out,
    /\nroot {7}active {2}P-256 {2}elsewhere {2}O=Istio, CN=Root .*\nissuing {4}active {2}P-256 {2}here {7}O=Istio, CN=Intermediate/,
  );
  const gone = await init(await place(t), "--new-key-encryption-key", "--import-cacerts", at.folder);
  assert.equal(gone.status, 1);
  assert.match(gone.err, /\[ca-import\/none\]\n$/);
});

test("init: an issuing authority under a root whose key is elsewhere", async (t) => {
  const at = await place(t);
  const folder = join(at.folder, "ceremony");
  const asked = await init(at, "--new-key-encryption-key", "--request", folder);
  assert.deepEqual([asked.status, asked.err], [0, ""]);
  assert.ok(!existsSync(at.store));
  assert.equal((await stat(join(folder, "issuing-key.sealed.json"))).mode & 0o777, 0o600);
  assert.doesNotMatch(await readFile(join(folder, "issuing-key.sealed.json"), "utf8"), /PRIVATE KEY/);
  const ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-days", "3650"];
  openssl(
    folder,
    "req",
    "-x509",
    ...newKey,
    "-subj",
    "/O=cluster.local/CN=root",
    ...ca,
    "-keyout",
    "root-key.pem",
    "-out",
    "root-cert.pem",
  );
  // What the text tells to do.
  const [, command = ""] = /\n {2}openssl (x509 .*)\n/.exec(asked.out) ?? [];
  const extensions = asked.out.match(/^ {2}\w+KeyIdentifier = .*$/gm) ?? [];
  await writeFile(join(folder, "extensions.cnf"), extensions.map((line) => `${line.trim()}\n`).join(""));
  const early = await init(at, "--complete", folder);
  assert.equal(early.status, 2);
  assert.match(early.err, /issuing\.pem` cannot be read/);
  openssl(folder, ...command.split(" "));
  const done = await init(at, "--complete", folder);
  assert.deepEqual([done.status, done.err], [0, ""]);
  assert.match(done.out, /\nroot {7}active {2}P-384 {2}elsewhere .*\nissuing {4}active {2}P-256 {2}here/);
  const again = await init(at, "--request", folder);
  assert.match(again.err, /\[output\/exists\]\n$/);
  await writeFile(join(folder, "issuing-key.sealed.json"), "{}");
  assert.match((await init(at, "--complete", folder)).err, /holds no encrypted key of this version/);
});

test("init: what cannot be understood ends with 2", async (t) => {
  const at = await place(t);
  for (const [args, says] of [
    [["--request", "a", "--complete", "b"], /expected one of --import-cacerts, --request and --complete/],
    [["--request", "a", "--root-key-kind", "P-256"], /`--root-key-kind` is for a root that is made here/],
    [["--key-kind", "P-521"], /Allowed choices are P-256/],
  ] as const) {
    const ran = await init(at, ...args);
    assert.deepEqual([ran.status, ran.out], [2, ""]);
    assert.match(ran.err, says);
  }
  await writeFile(
    at.config,
    "listeners: [{ name: a, protocol: grpc, address: '127.0.0.1:1' }]\npolicies: { directory: p }\n",
  );
  assert.match((await init(at)).err, /has no `ca` section/);
  assert.equal((await cli(["ca", "init", "-c", join(at.folder, "gone.yaml")])).status, 2);
});

test("audit verify FILE: an edited record is found, and the file is left as it was", async (t) => {
  const at = await place(t);
  assert.equal((await init(at, "--new-key-encryption-key")).status, 0);
  const verify = () => cli(["ca", "audit", "verify", at.store, "--format", "json"]);
  const whole = await verify();
  assert.equal(whole.status, 0, whole.out + whole.err);
  const database = new DatabaseSync(at.store);
  database.exec("UPDATE audit_entries SET canonical = replace(canonical, 'P-256', 'P-384') WHERE number = 2");
  database.close();
  const before = await readFile(at.store);
  const found = await verify();
  assert.equal(found.status, 5);
  assert.ok(
    JSON.parse(found.out).faults.some(({ entry }: { entry: number }) => entry === 2),
    found.out,
  );
  assert.deepEqual(await readFile(at.store), before);
  await writeFile(at.store, "no database");
  const broken = await verify();
  assert.equal(broken.status, 1);
  assert.match(broken.err, /\[ca-store\/damaged\]\n$/);
});
