import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cli, main } from "#test/support/cli/run-cli";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { tempFolder } from "#test/support/service/temp-folder";

const id = "spiffe://hello.mesh/ns/hello/sa/web";
const registration = `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: web, namespace: hello }
spec:
  spiffeId: ${id}
  callers:
    - joinToken: {}
  dnsNames: [web.hello.svc]
`;

/** The program itself; resolves when all its doors are open. */
async function serve(t: TestContext, config: string) {
  const child = spawn(process.execPath, [main, "serve", "-c", config, "--linger", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  endsWithTest(t, child);
  const ended = once(child, "close");
  let text = "";
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [, found] = /"ca-http","address":"127\.0\.0\.1:([0-9]+)"/.exec(text) ?? [];
      if (found !== undefined && text.includes('"ca-socket"')) resolve(found);
    });
    void ended.then(() => reject(new Error(`ended: ${text}`)));
  });
  return {
    url: `https://localhost:${port}`,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

test("from nothing to certificates, a refusal that explains itself, a backup and its restore", async (t) => {
  const folder = await tempFolder(t);
  await chmod(folder, 0o700);
  await mkdir(join(folder, "policies"));
  await writeFile(join(folder, "policies/mesh.yaml"), "trustDomain: hello.mesh\n");
  await writeFile(join(folder, "policies/web.yaml"), registration);
  const config = join(folder, "garita.yaml");
  await writeFile(
    config,
    `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: a, labels: {} } }]
policies: { directory: policies }
ca:
  trustDomain: hello.mesh
  store: state/ca.sqlite
  keyEncryptionKeyFile: kek
  serverNames: [localhost]
  http: { address: "127.0.0.1:0" }
  socket: ca.sock
`,
  );
  const at = (name: string) => join(folder, name);
  const own = (...args: string[]) => cli(["ca", ...args, "-c", config]);
  const done = async (...args: string[]) => {
    const ran = await own(...args);
    assert.equal(ran.status, 0, ran.err);
    return ran.out;
  };
  await done("init", "--new-key-encryption-key");
  const service = await serve(t, config);
  assert.match(await done("entries"), /^spiffe:.*web {2}\(hello\/web, .*web\.yaml:1\)\n/);

  const token = await done("token", "new", "--id", id);
  const join1 = ["ca", "issue", "--url", service.url, "--token-file", "-", "-o", at("web")];
  const joined = await cli(join1, { input: token });
  assert.deepEqual([joined.status, joined.err], [0, ""]);
  const [chain, roots, key] = [at("web/cert-chain.pem"), at("web/root-cert.pem"), at("web/key.pem")];
  for (const args of [
    ["verify", chain, "--bundle", roots],
    ["lint", chain],
    ["needs-renewal", chain],
  ]) {
    assert.equal((await cli(["ca", ...args])).status, 0, args.join(" "));
  }
  const certificate = await readFile(chain, "utf8");

  const twice = await cli([...join1, "--force"], { input: token });
  assert.equal(twice.status, 10);
  const [, explanation = ""] = /garita ca explain (\w+)/.exec(twice.err) ?? [];
  assert.match(await done("explain", explanation), /the join token was used at/);
  assert.equal(await readFile(chain, "utf8"), certificate);

  const bearing = ["--url", service.url, "--bundle", roots, "--cert", chain, "--key", key];
  const renewed = await cli(["ca", "issue", ...bearing, "-o", at("web"), "--force"]);
  assert.deepEqual([renewed.status, renewed.err], [0, ""]);
  assert.notEqual(await readFile(chain, "utf8"), certificate);
  const { certificates } = JSON.parse(await done("list", "--id", id, "--format", "json"));
  assert.equal(certificates.length, 2);
  assert.match(await done("show", certificates[0].serial), /\nallowed by {2}hello\/web\n/);
  const due = await own("expiring", "--within", "72h");
  assert.equal(due.status, 10);
  assert.equal((await own("expiring", "--within", "1h")).status, 0);

  assert.match(await done("try", "--id", id), /^would be issued\n/);
  assert.equal((await own("try", "--id", `${id}-other`)).status, 10);
  await done("backup", at("backup.sqlite"));
  assert.match(await done("revoke", id, "--reason", "a test"), /^revoked: /);
  assert.equal((await cli(["ca", "issue", ...bearing, "-o", at("other")])).status, 10);
  assert.match(await done("rotate"), /^active: /);
  assert.match(await done("audit", "verify"), /^log {6}whole\n/);
  const busy = await own("restore", at("backup.sqlite"));
  assert.equal(busy.status, 1);
  assert.match(busy.err, /\[ca-store\/locked\]\n$/);
  await service.stop();

  for (const file of ["state/ca.sqlite", "backup.sqlite"]) {
    const audited = await cli(["ca", "audit", "verify", at(file)]);
    assert.deepEqual([audited.status, audited.err], [0, ""], audited.out);
  }
  const restored = await done("restore", at("backup.sqlite"));
  assert.match(restored, /^restored {5}\S+ca\.sqlite\n[\s\S]*\ngeneration {3}2\n/);
  assert.equal((await own("restore", at("gone.sqlite"))).status, 2);
  assert.equal((await cli(["ca", "audit", "verify", at("gone.sqlite")])).status, 2);
  const again = await serve(t, config);
  assert.match(await done("status"), /generation 2\n/);
  // The revocation was after the backup, and nothing is ever un-revoked.
  const { certificates: left } = JSON.parse(await done("list", "--revoked", "--format", "json"));
  assert.deepEqual(new Set(left.map(({ spiffeId }: { spiffeId: string }) => spiffeId)), new Set([id]));
  await again.stop();
});
