import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startBundleServer } from "#test/support/bundle/bundle-server";
import { keyFiles } from "#test/support/bundle/make-bundle";
import { makeCertificates } from "#test/support/certificates";
import { cli, folderOf } from "#test/support/cli/run-cli";
import { envoyUnder } from "#test/support/envoy/envoy-under";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { allowing } from "#test/support/git/test-repository";

const times = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"] as const;

test("a signed bundle is what a real Envoy enforces, and its access log names the revision; one that was changed since changes nothing", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const certificates = await makeCertificates();
  t.after(() => certificates.remove());
  const folder = await folderOf(t, {});
  const { keyFile, publicKeyFile } = keyFiles(folder);
  /** By the commands of the guide. */
  const signed = async (path: string, revision: string, time: string) => {
    const policies = await folderOf(t, { "a.yaml": allowing(path) });
    const file = join(folder, "shop.bundle");
    const built = await cli(["build", policies, "-o", file, "--revision", revision, "--time", time]);
    assert.equal(built.status, 0, built.err);
    assert.equal((await cli(["sign", file, "--key", keyFile])).status, 0);
    return readFile(file);
  };
  const server = await startBundleServer(t, certificates);
  server.offer(await signed("/one", "r1", times[0]));
  const { ask, sync } = await envoyUnder(t, binary, {
    bundle: {
      url: server.url,
      publicKeyFile,
      folder: join(folder, "state"),
      caFile: certificates.ca,
      pollSeconds: 3600,
    },
  });
  const both = async () => [await ask("/one"), await ask("/two")];
  const first = [
    [200, "r1"],
    [403, "r1"],
  ];
  assert.deepEqual(await both(), first);

  const second = await signed("/two", "r2", times[1]);
  const tampered = Buffer.from(second);
  tampered[tampered.lastIndexOf("/two")]! ^= 1;
  for (const bytes of [tampered, Buffer.from(second).fill("r3", second.indexOf("r2"), second.indexOf("r2") + 2)]) {
    server.offer(bytes);
    assert.equal((await sync()).status, 5);
    assert.deepEqual(await both(), first);
  }
  server.offer(second);
  assert.equal((await sync()).status, 0);
  const then = [
    [403, "r2"],
    [200, "r2"],
  ];
  assert.deepEqual(await both(), then);
  await writeFile(publicKeyFile, await readFile(keyFiles(await folderOf(t, {})).publicKeyFile));
  server.offer(await signed("/one", "r3", times[2]));
  assert.equal((await sync()).status, 5);
  assert.deepEqual(await both(), then, "its key is not trusted any more");
});
