import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startBundleServer } from "#test/support/bundle/bundle-server";
import { keyFiles, laterSeconds, makeBundle } from "#test/support/bundle/make-bundle";
import { makeCertificates } from "#test/support/certificates";
import { cli } from "#test/support/cli/run-cli";
import { servePolicies } from "#test/support/service/serve-process";
import { tempFolder } from "#test/support/service/temp-folder";

/** The program with policies of this server, its admin socket in the folder. Ends with the test. */
function serving(t: TestContext, folder: string, url: string, caFile: string) {
  const bundle = `url: "${url}", publicKeyFile: key.pub, folder: state, caFile: "${caFile}", pollSeconds: 3600`;
  return servePolicies(t, folder, `{ bundle: { ${bundle} } }`);
}

test("a new bundle is in force after `garita sync`, a strange one is told by it, and a start without the server goes on", async (t) => {
  const certificates = await makeCertificates();
  t.after(() => certificates.remove());
  const server = await startBundleServer(t, certificates);
  const folder = await tempFolder(t);
  const { key } = keyFiles(folder);
  server.offer(makeBundle("/one", key, { revision: "r1" }));
  const first = await serving(t, folder, server.url, certificates.ca);
  assert.deepEqual([await first.ask("/one"), await first.ask("/two")], [200, 403], first.lines());

  server.offer(
    makeBundle("/two", key, { revision: "r2", timeSeconds: laterSeconds(1), expiresSeconds: 32_503_680_000 }),
  );
  const synced = await cli(["sync", "--admin", first.admin]);
  assert.deepEqual([synced.status, synced.err], [0, ""]);
  assert.match(
    synced.out,
    /^activated\nin force: r2\nsigned by: SHA256:.+\nexpires: 3000-01-01T00:00:00\.000Z\ndigest: /,
  );
  assert.deepEqual([await first.ask("/one"), await first.ask("/two")], [403, 200]);
  await first.denialUnder("r2");

  server.offer(makeBundle("/three", undefined));
  const refused = await cli(["sync", "--admin", first.admin, "--format", "json"]);
  const { ok, result, commit, message, builtMillis, expiresMillis } = JSON.parse(refused.out);
  assert.deepEqual([refused.status, ok, result, commit], [5, false, "refused", "r2"]);
  assert.equal(message, "the policy bundle is not signed");
  assert.deepEqual([builtMillis, expiresMillis], [laterSeconds(1) * 1000, 32_503_680_000_000]);

  await first.kill();
  await server.end();
  const second = await serving(t, folder, server.url, certificates.ca);
  assert.deepEqual([await second.ask("/one"), await second.ask("/two")], [403, 200], second.lines());
});
