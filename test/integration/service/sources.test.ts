import assert from "node:assert/strict";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startBundleServer } from "#test/support/bundle/bundle-server";
import { keyFiles, makeBundle } from "#test/support/bundle/make-bundle";
import { makeCertificates } from "#test/support/certificates";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { startAssembled } from "#test/support/service/assembled";
import { tempFolder } from "#test/support/service/temp-folder";

test("policies go from a folder to Git, to a bundle and back, and are those before where the next cannot be had", async (t) => {
  const certificates = await makeCertificates();
  t.after(() => certificates.remove());
  const server = await startBundleServer(t, certificates);
  const keys = keyFiles(await tempFolder(t));
  server.offer(makeBundle("/bundle", keys.key));
  const repository = await testRepository(t);
  const first = await repository.commit({ "a.yaml": allowing("/git") });
  const { service, config, folder } = await startAssembled(t, "");
  const written = await readFile(config, "utf8");
  const become = async (policies: string) => {
    await writeFile(config, written.replace("{ directory: policies }", policies));
    return (await service.reload()).messages;
  };
  const inForce = () => {
    const { rules, configuration } = service.status();
    return [
      rules.source.split(" ")[0],
      rules.active?.revision?.commit,
      rules.current,
      configuration.fault !== undefined,
    ];
  };
  const git = (more = "") => `{ git: { url: "${repository.url}", folder: ${join(folder, "git")}${more} } }`;
  const bundle = (more = "") =>
    `{ bundle: { url: "${server.url}", publicKeyFile: ${keys.publicKeyFile}, folder: ${join(folder, "bundle")}, caFile: ${certificates.ca}${more} } }`;

  assert.deepEqual(await become(git()), []);
  assert.deepEqual(inForce(), ["git", first, true, false]);
  assert.deepEqual(await become(bundle()), []);
  assert.deepEqual(inForce(), ["bundle", "/bundle", true, false]);
  assert.match(
    (await become(bundle(", name: other")))[0] ?? "",
    /^its policies cannot come into force: expected .* for `other`/,
  );
  assert.deepEqual(inForce(), ["bundle", "/bundle", true, true], "what cannot be had changes nothing");
  assert.deepEqual(await become("{ directory: policies }"), []);
  assert.deepEqual(inForce(), ["directory", undefined, true, false]);

  const second = await repository.commit({ "a.yaml": allowing("/git-too") });
  assert.deepEqual(await become(git()), []);
  assert.deepEqual(inForce(), ["git", second, true, false]);
  await rename(repository.folder, `${repository.folder}.away`);
  assert.match((await become(git(", pollSeconds: 30"))).join(), /cannot be asked/);
  assert.deepEqual(inForce(), ["git", second, false, false], "the rules of the last run stand in");
  await rename(`${repository.folder}.away`, repository.folder);
  assert.deepEqual((await service.reload()).messages, []);
  assert.deepEqual(inForce(), ["git", second, true, false]);
});
