import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bundleKeys, keyFiles, makeBundle } from "#test/support/bundle/make-bundle";
import { cli, folderOf, policy, readers } from "#test/support/cli/run-cli";

async function scene(t: TestContext) {
  const folder = await folderOf(t, { "policies/p.yaml": readers });
  const file = join(folder, "shop.bundle");
  const { keyFile, publicKeyFile } = keyFiles(folder);
  const build = (...more: readonly string[]) => cli(["build", join(folder, "policies"), "-o", file, ...more]);
  return { folder, file, keyFile, publicKeyFile, build };
}

test("build, sign, verify: a bundle says what it is, and the same input gives the same bytes", async (t) => {
  const { folder, file, keyFile, publicKeyFile, build } = await scene(t);
  const named = ["--revision", "r1", "--name", "shop", "--time", "2026-01-01T00:00:00+01:00"];
  const built = await build(...named);
  const compiled = await cli(["compile", join(folder, "policies"), "-o", join(folder, "rules")]);
  assert.deepEqual([built.status, built.out.slice(0, 64)], [0, compiled.out.slice(0, 64)], "the same rules");
  const first = await readFile(file);
  await build(...named);
  assert.deepEqual(await readFile(file), first);

  const unsigned = await cli(["verify", file, "--key", publicKeyFile]);
  assert.deepEqual([unsigned.status, unsigned.out], [5, ""]);
  assert.match(unsigned.err, /is not signed \[bundle\/signature\]/);
  const signed = await cli(["sign", file, "--key", keyFile]);
  assert.match(signed.out, /^signed by SHA256:[\w+/]{43}\n$/);
  const verified = await cli(["verify", file, "--key", publicKeyFile]);
  assert.equal(verified.status, 0);
  assert.match(
    verified.out,
    /^signed by +SHA256:.+\nname +shop\nrevision +r1\nbuilt +2025-12-31T23:00:00\.000Z\ndigest +[0-9a-f]{64}\nfiles +1\npolicies +1\nrules +1, \d+ bytes\n$/,
  );
  const json = JSON.parse((await cli(["verify", file, "--key", publicKeyFile, "--format", "json"])).out);
  assert.deepEqual([json.name, json.time, json.counts.policies], ["shop", "2025-12-31T23:00:00.000Z", 1]);
});

test("the time is told, that of the environment, or now; the revision without a word is of the digest", async (t) => {
  const { file, build } = await scene(t);
  const manifest = async () => JSON.parse((await readFile(file, "latin1")).split("\n")[2]!);
  const path = [file.replace("shop.bundle", "policies"), "-o", file];
  const epoch = await cli(["build", ...path], { environment: { SOURCE_DATE_EPOCH: "1700000000" } });
  assert.equal(epoch.status, 0, epoch.err);
  const { timeSeconds, revision, digest } = await manifest();
  assert.deepEqual([timeSeconds, revision], [1_700_000_000, digest.slice(0, 12)]);
  const before = Math.floor(Date.now() / 1000);
  await build();
  assert.ok((await manifest()).timeSeconds >= before);
  for (const text of ["-1", "soon", "1e3"]) {
    const wrong = await cli(["build", ...path], { environment: { SOURCE_DATE_EPOCH: text } });
    assert.equal(wrong.status, 2, text);
  }
  for (const more of [
    ["--time", "2026-02-30T00:00:00Z"],
    ["--time", "now"],
    ["--revision", ""],
    ["--name", "a\nb"],
  ])
    assert.equal((await build(...more)).status, 2, more.join(" "));
});

test("a bundle can be built to be valid for some time: verify tells until when, and refuses it then", async (t) => {
  const { file, keyFile, publicKeyFile, build } = await scene(t);
  const verified = async (...more: readonly string[]) => {
    const built = await build(...more);
    assert.equal(built.status, 0, built.err);
    await cli(["sign", file, "--key", keyFile]);
    return cli(["verify", file, "--key", publicKeyFile, "--format", "json"]);
  };
  const endless = await verified("--time", "2026-01-01T00:00:00Z");
  assert.deepEqual([endless.status, "expires" in JSON.parse(endless.out)], [0, false]);
  const over = await verified("--time", "2020-01-01T00:00:00Z", "--valid-for", "30d", "--revision", "r1");
  assert.deepEqual([over.status, over.out], [5, ""]);
  assert.match(over.err, /`r1` expired at 2020-01-31T00:00:00\.000Z \[bundle\/expired\]/);
  const builtMillis = Math.floor(Date.now() / 1000) * 1000;
  const [time, expires] = [builtMillis, builtMillis + 90 * 60_000].map((millis) => new Date(millis).toISOString());
  const good = await verified("--time", time!, "--valid-for", "90m");
  assert.deepEqual([good.status, JSON.parse(good.out).expires], [0, expires]);
  const text = (await cli(["verify", file, "--key", publicKeyFile])).out;
  assert.ok(text.includes(`\nbuilt      ${time}\nexpires    ${expires}\ndigest`), text);
  for (const duration of ["0s", "30", "soon", "-1d", "9999999d"])
    assert.equal((await build("--valid-for", duration)).status, 2, duration);
  const beyond = await build("--time", "9999-12-31T23:59:59Z", "--valid-for", "1s");
  assert.equal(beyond.status, 2, beyond.err);
});

test("wrong policies, files and keys end with their own status, and leave the file as it was", async (t) => {
  const { folder, file, keyFile, publicKeyFile, build } = await scene(t);
  await build("--time", "2026-01-01T00:00:00Z");
  const whole = await readFile(file);
  await writeFile(join(folder, "policies/p.yaml"), policy("p", "rules: 7"));
  assert.equal((await build()).status, 3);
  const exposed = join(folder, "exposed.pem");
  await writeFile(exposed, await readFile(keyFile));
  await chmod(exposed, 0o644);
  assert.match((await cli(["sign", file, "--key", exposed])).err, /\[secret\/exposed\]/);
  assert.equal(
    (await cli(["sign", file, "--key", publicKeyFile])).status,
    1,
    "a public key is not private to its owner",
  );
  assert.equal((await cli(["verify", file, "--key", keyFile])).status, 2);
  assert.equal((await cli(["verify", join(folder, "absent"), "--key", publicKeyFile])).status, 2);
  assert.deepEqual(await readFile(file), whole);

  await writeFile(file, whole.subarray(0, -1));
  assert.match((await cli(["sign", file, "--key", keyFile])).err, /\[bundle\/damaged\]/);
  await writeFile(file, whole);
  await cli(["sign", file, "--key", keyFile]);
  const other = join(folder, "other.pub");
  await writeFile(other, bundleKeys().publicPem);
  assert.equal((await cli(["verify", file, "--key", other])).status, 5);
  await writeFile(file, (await readFile(file)).subarray(0, -1));
  assert.equal((await cli(["verify", file, "--key", publicKeyFile])).status, 5);
});

test("what no service would take does not verify: rules of another version, and a time that is not yet", async (t) => {
  const folder = await folderOf(t, {});
  const { publicKeyFile, key } = keyFiles(folder);
  const file = join(folder, "strange.bundle");
  const cases = [
    [{ rules: Buffer.from("garita\0\u00ff of another version") }, /\[ruleset\/damaged\]\n$/],
    [{ timeSeconds: Math.floor(Date.now() / 1000) + 3600 }, /\[bundle\/ahead\]\n$/],
  ] as const;
  for (const [made, message] of cases) {
    await writeFile(file, makeBundle("/one", key, made));
    const { status, out, err } = await cli(["verify", file, "--key", publicKeyFile]);
    assert.deepEqual([status, out], [5, ""]);
    assert.match(err, message);
  }
});
