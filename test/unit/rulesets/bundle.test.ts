import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { keyFingerprint, readSigningKey, readTrustedKeys, type TrustedKeys } from "#authz/rulesets/bundle/keys";
import { joinBundle, splitBundle } from "#authz/rulesets/bundle/layout";
import { encodeManifest, isWord, parseManifest } from "#authz/rulesets/bundle/manifest";
import { openBundle } from "#authz/rulesets/bundle/open-bundle";
import { bundleUrlFault } from "#authz/rulesets/bundle/settings";
import { signBundle } from "#authz/rulesets/bundle/sign-bundle";
import { signedBytes } from "#authz/rulesets/bundle/signed-bytes";
import { CodedError } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import { finish } from "#policy-compiler/ruleset/steps";
import { bundleKeys, keyFiles, makeBundle } from "#test/support/bundle/make-bundle";
import { tempFolder } from "#test/support/service/temp-folder";

const site = bundleKeys();
const open = (bytes: Uint8Array, trusted: TrustedKeys = site.trusted) => finish(openBundle(bytes, trusted));
const coded = (code: FaultCode) => (fault: unknown) => fault instanceof CodedError && fault.code === code;

test("a signed bundle opens for whoever trusts its key, and says what is in it", () => {
  const bytes = makeBundle("/one", site.key, { name: "shop", revision: "r1", timeSeconds: 1_700_000_000 });
  const { manifest, rules, signer } = open(bytes);
  assert.deepEqual([manifest.name, manifest.revision, manifest.timeSeconds], ["shop", "r1", 1_700_000_000]);
  assert.deepEqual([manifest.files, manifest.counts.policies, manifest.counts.rules], [1, 1, 1]);
  assert.equal(manifest.sizeBytes, rules.length);
  assert.equal(signer, keyFingerprint(site.key));
  const others = bundleKeys().trusted.keys;
  assert.equal(open(bytes, { keys: [...others, ...site.trusted.keys], mark: "" }).signer, signer, "one of several");
});

test("the same content gives the same bytes, signed too; a second signature takes the place of the first", () => {
  assert.deepEqual(makeBundle("/one", undefined), makeBundle("/one", undefined));
  const signed = makeBundle("/one", site.key);
  assert.deepEqual(signed, makeBundle("/one", site.key));
  assert.deepEqual(signBundle(makeBundle("/one", bundleKeys().key), site.key), signed);
  assert.deepEqual(joinBundle(splitBundle(signed)), signed);
});

test("no flipped bit is taken, wherever it is", () => {
  const bytes = makeBundle("/one", site.key);
  const manifestStart = "garita-bundle-1\n".length + 88 + 1;
  const rulesStart = manifestStart + splitBundle(bytes).manifest.length + 1;
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 0x80]) {
      const changed = bytes.slice();
      changed[at]! ^= bit;
      assert.throws(
        () => open(changed),
        (fault) => {
          assert.ok(fault instanceof CodedError, `byte ${at}`);
          const expected: readonly FaultCode[] =
            at >= rulesStart
              ? ["bundle/damaged"]
              : at >= manifestStart && at < rulesStart - 1 && changed[at] !== 0x0a
                ? ["bundle/signature"]
                : ["bundle/signature", "bundle/damaged"];
          assert.ok(expected.includes(fault.code as FaultCode), `byte ${at}: ${fault.code}`);
          return true;
        },
      );
    }
  }
});

test("no beginning of a bundle is taken, and nothing behind its end", () => {
  const bytes = makeBundle("/one", site.key);
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => open(bytes.subarray(0, length)), coded("bundle/damaged"), `${length} bytes`);
  assert.throws(() => open(Buffer.concat([bytes, Buffer.from([0])])), coded("bundle/damaged"));
});

test("unsigned, signed by another key, or for another purpose: refused", () => {
  const unsigned = makeBundle("/one", undefined);
  const parts = splitBundle(unsigned);
  assert.throws(() => open(unsigned), coded("bundle/signature"));
  assert.throws(() => open(makeBundle("/one", bundleKeys().key)), coded("bundle/signature"));
  const over = (bytes: Uint8Array) => joinBundle({ ...parts, signature: sign(null, bytes, site.key) });
  assert.throws(() => open(over(parts.manifest)), coded("bundle/signature"), "the manifest without the domain");
  const other = Buffer.concat([Buffer.from("garita deny list 1\0"), parts.manifest]);
  assert.throws(() => open(over(other)), coded("bundle/signature"));
  assert.doesNotThrow(() => open(over(signedBytes(parts.manifest))), "the counter-proof");
});

test("a signature does not go with the rules, or the manifest, of another bundle", () => {
  const one = splitBundle(makeBundle("/one", site.key));
  const two = splitBundle(makeBundle("/two", site.key));
  assert.equal(one.rules.length, two.rules.length, "of one size, so that only the digest tells");
  assert.throws(() => open(joinBundle({ ...one, rules: two.rules })), coded("bundle/damaged"));
  assert.throws(() => open(joinBundle({ ...one, manifest: two.manifest })), coded("bundle/signature"));
});

test("lines without an end are not searched for ever", () => {
  const head = Buffer.from("garita-bundle-1\n");
  const long = Buffer.alloc(64 * 1024 * 1024, 0x41);
  assert.throws(() => open(Buffer.concat([head, long])), coded("bundle/damaged"));
  assert.throws(() => open(Buffer.concat([head, Buffer.from("unsigned\n"), long])), coded("bundle/damaged"));
});

test("what is not whole is not signed", () => {
  const bytes = makeBundle("/one", undefined);
  assert.throws(() => signBundle(bytes.subarray(0, -1), site.key), coded("bundle/damaged"));
  assert.throws(() => signBundle(new TextEncoder().encode("kind: [\n"), site.key), coded("bundle/damaged"));
});

test("a manifest is written in one way, and no other is read, signed or not", () => {
  const line = Buffer.from(splitBundle(makeBundle("/one", undefined)).manifest).toString("utf8");
  const manifest = parseManifest(line)!;
  assert.equal(encodeManifest(manifest), line);
  const digest = manifest.digest.toUpperCase();
  for (const other of [
    ` ${line}`,
    line.replace("{", '{"more":1,'),
    line.replace('"revision":"/one"', '"revision":"/one","revision":"/one"'),
    line.replace('"revision":"/one"', '"revision":""'),
    line.replace('"revision":"/one"', '"revision":"a\\u001bb"'),
    line.replace('"revision":"/one"', `"revision":"${"a".repeat(201)}"`),
    line.replace('"revision":"/one"', '"revision":1'),
    line.replace('{"revision"', '{"name":7,"revision"'),
    line.replace(manifest.digest, digest),
    line.replace('"files":1', '"files":-1'),
    line.replace('"files":1', '"files":1.5'),
    line.replace(`"timeSeconds":${manifest.timeSeconds}`, '"timeSeconds":1e15'),
    line.replace('"policies":1,', ""),
    ...[manifest.timeSeconds, 1e15, -1, 1.5, "null", '"never"'].map((expires) =>
      line.replace(',"digest"', `,"expiresSeconds":${expires},"digest"`),
    ),
    line.replace('{"revision"', `{"expiresSeconds":${manifest.timeSeconds + 1},"revision"`),
    "null",
    "7",
    "[]",
    "",
  ]) {
    assert.notEqual(other, line);
    assert.equal(parseManifest(other), undefined, other);
    const parts = splitBundle(makeBundle("/one", undefined));
    const signature = sign(null, signedBytes(Buffer.from(other)), site.key);
    assert.throws(
      () => open(joinBundle({ ...parts, manifest: Buffer.from(other), signature })),
      coded("bundle/damaged"),
    );
  }
  for (const text of ["", "  ", "a\nb", "a\u2028b", "a\u202eb", "a".repeat(201)]) assert.ok(!isWord(text), text);
  assert.ok(isWord("2026-01 größer"));
});

test("an expiry is signed with the rest, and a bundle without one is what it was before there were any", () => {
  const rest =
    '"digest":"fe9a2a0d8f3a3b2f07a4f4b7a8e3b9c3f2a2a0d8f3a3b2f07a4f4b7a8e3b9c3f","sizeBytes":3,"files":1,"counts":{"policies":1,"rules":1,"peerAuthentications":0,"requestAuthentications":0,"workloads":0,"services":0,"providers":0,"registrations":0}}';
  const before = `{"name":"shop","revision":"r1","timeSeconds":1700000000,${rest}`;
  assert.equal(parseManifest(before)?.expiresSeconds, undefined);
  assert.equal(encodeManifest(parseManifest(before)!), before);
  const line = `{"name":"shop","revision":"r1","timeSeconds":1700000000,"expiresSeconds":1700000001,${rest}`;
  assert.equal(parseManifest(line)?.expiresSeconds, 1_700_000_001);

  const signed = splitBundle(
    makeBundle("/one", site.key, { timeSeconds: 1_700_000_000, expiresSeconds: 1_700_000_100 }),
  );
  const longer = Buffer.from(Buffer.from(signed.manifest).toString("utf8").replace("1700000100", "1800000100"));
  const without = splitBundle(makeBundle("/one", undefined, { timeSeconds: 1_700_000_000 })).manifest;
  for (const manifest of [longer, without])
    assert.throws(() => open(joinBundle({ ...signed, manifest })), coded("bundle/signature"));
  assert.equal(open(joinBundle(signed)).manifest.expiresSeconds, 1_700_000_100);
});

test("keys are Ed25519 in PEM, and a file of public keys holds nothing else", async (t) => {
  const folder = await tempFolder(t);
  const { keyFile, publicKeyFile, publicPem, privatePem, key } = keyFiles(folder);
  assert.ok((await readSigningKey(keyFile)).equals(key));
  const trusted = await readTrustedKeys(publicKeyFile);
  assert.deepEqual([trusted.keys.length, trusted.mark], [1, keyFingerprint(key)]);
  const both = join(folder, "both.pub");
  await writeFile(both, `# of the old year\n${bundleKeys().publicPem}${publicPem}`);
  assert.equal((await readTrustedKeys(both)).keys.length, 2);

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const wrong = join(folder, "wrong");
  for (const text of [
    "",
    "nothing",
    privatePem,
    `${publicPem}${privatePem}`,
    publicPem.replace(/[A-Za-z0-9+/]{20}/, "A".repeat(20)),
    `${publicPem}${bundleKeys().publicPem.replace("-----BEGIN", "----BEGIN")}`,
    `${publicPem}${bundleKeys().publicPem.replace("END PUBLIC KEY-----\n", "")}`,
    `${publicPem}the key of last year`,
    rsa.publicKey.export({ type: "spki", format: "pem" }).toString(),
  ]) {
    await writeFile(wrong, text);
    await assert.rejects(readTrustedKeys(wrong), (fault) => {
      assert.ok(coded("bundle/keys")(fault));
      assert.ok(!(fault as Error).message.includes(privatePem.split("\n")[1]!), "the key is not repeated");
      return true;
    });
  }
  await assert.rejects(readTrustedKeys(join(folder, "absent")), coded("bundle/keys"));

  await chmod(wrong, 0o600);
  for (const text of ["nothing", publicPem, rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString()]) {
    await writeFile(wrong, text);
    await assert.rejects(readSigningKey(wrong), coded("bundle/keys"));
  }
  await chmod(keyFile, 0o644);
  await assert.rejects(readSigningKey(keyFile), coded("secret/exposed"));
});

test("a bundle is fetched over https alone, and its address holds no secret", () => {
  assert.equal(bundleUrlFault("https://files.example.org:8443/shop.bundle?v=1"), undefined);
  for (const url of ["http://h/x", "file:///x", "https:/x", "https://", "https://a b/", "https:\\\\h/x", "/x", "h/x"])
    assert.match(bundleUrlFault(url) ?? "", /^expected `https:/, url);
  for (const url of ["https://me:secret@h/x", "https://me@h/x"])
    assert.equal(bundleUrlFault(url), "credentials belong into `tokenFile`");
  assert.match(bundleUrlFault("https://h/x#y") ?? "", /no `#`/);
});
