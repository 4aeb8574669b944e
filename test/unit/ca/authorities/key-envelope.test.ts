import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { test } from "node:test";
import { KeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import { type EnvelopeOwner, openKey, resealKey, sealKey } from "#ca/authorities/key-envelope";
import { CodedError } from "#platform/coded-error";
import { Random, testSeed } from "#test/support/random";

const owner: EnvelopeOwner = { role: "root", keyId: "00112233445566778899aabbccddeeff00112233" };
const encryptionKey = KeyEncryptionKey.of(Buffer.from("0123456789abcdef"));
const otherEncryptionKey = KeyEncryptionKey.of(Buffer.from("0123456789abcdeg"));
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const keys: readonly (readonly [string, KeyObject])[] = [
  ["P-256", privateKey],
  ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey],
  ["RSA-4096", generateKeyPairSync("rsa", { modulusLength: 4096 }).privateKey],
  ["Ed25519", generateKeyPairSync("ed25519").privateKey],
];

function hasCode(...codes: readonly string[]): (fault: unknown) => boolean {
  return (fault) => fault instanceof CodedError && codes.includes(fault.code);
}

/** Derives for each salt and cost once, so that hundreds of envelopes can be tried. */
function remembering(key: KeyEncryptionKey): KeyEncryptionKey {
  const derived = new Map<string, Promise<Buffer>>();
  const derive: KeyEncryptionKey["derive"] = async (salt, cost, sizeBytes) => {
    const name = `${Buffer.from(salt).toString("hex")} ${cost.logN} ${cost.r} ${cost.p} ${sizeBytes}`;
    const known = derived.get(name) ?? key.derive(salt, cost, sizeBytes);
    derived.set(name, known);
    return Buffer.from(await known);
  };
  return { derive } as KeyEncryptionKey;
}

for (const [kind, key] of keys)
  test(`what was sealed opens: ${kind}`, async () => {
    const envelope = await sealKey(key, owner, encryptionKey, randomBytes);
    assert.ok((await openKey(envelope, owner, encryptionKey)).equals(key));
    assert.ok(!Buffer.from(envelope).includes(key.export({ type: "pkcs8", format: "der" }).subarray(-16)));
  });

test("two envelopes of one key have nothing in common but their form", async () => {
  const [first, second] = (await Promise.all(
    [0, 1].map(() => sealKey(privateKey, owner, encryptionKey, randomBytes)),
  )) as [Uint8Array, Uint8Array];
  assert.deepEqual(first.subarray(0, 8), second.subarray(0, 8));
  assert.notDeepEqual(first.subarray(8, 24), second.subarray(8, 24));
  assert.notDeepEqual(first.subarray(24, 36), second.subarray(24, 36));
  assert.notDeepEqual(first.subarray(52), second.subarray(52));
});

test("another key-encryption key is told from damage", async () => {
  const envelope = await sealKey(privateKey, owner, encryptionKey, randomBytes);
  await assert.rejects(openKey(envelope, owner, otherEncryptionKey), hasCode("ca-key/wrong-encryption-key"));
});

test("an envelope of another record does not open", async () => {
  const envelope = await sealKey(privateKey, owner, encryptionKey, randomBytes);
  for (const other of [
    { ...owner, role: "issuing" },
    { ...owner, role: "audit" },
    { ...owner, keyId: "10112233445566778899aabbccddeeff00112233" },
    { ...owner, keyId: "" },
  ] as const)
    await assert.rejects(openKey(envelope, other, encryptionKey), hasCode("ca-key/damaged"));
});

test("a key is sealed anew under another key-encryption key", async () => {
  const envelope = await sealKey(privateKey, owner, encryptionKey, randomBytes);
  const changed = await resealKey(envelope, owner, encryptionKey, otherEncryptionKey, randomBytes);
  assert.ok((await openKey(changed, owner, otherEncryptionKey)).equals(privateKey));
  await assert.rejects(openKey(changed, owner, encryptionKey), hasCode("ca-key/wrong-encryption-key"));
  await assert.rejects(
    resealKey(envelope, owner, otherEncryptionKey, encryptionKey, randomBytes),
    hasCode("ca-key/wrong-encryption-key"),
  );
});

test("an envelope with any one byte changed, cut off or added does not open", async () => {
  const random = new Random(testSeed("envelope"));
  const envelope = await sealKey(privateKey, owner, encryptionKey, randomBytes);
  const changed = Array.from(envelope, (byte, i) => {
    const copy = Uint8Array.from(envelope);
    copy[i] = byte ^ (1 << random.below(8));
    return copy;
  });
  const cut = [0, 1, 4, 8, 52, 68, 69, envelope.length - 1].map((end) => envelope.slice(0, end));
  const longer = Buffer.concat([envelope, Uint8Array.of(0)]);
  const key = remembering(encryptionKey);
  assert.ok((await openKey(envelope, owner, key)).equals(privateKey));
  for (const broken of [...changed, ...cut, longer])
    await assert.rejects(
      openKey(broken, owner, key),
      hasCode("ca-key/damaged", "ca-key/wrong-encryption-key", "ca-key/unknown-version"),
    );
});

test("an envelope cannot ask for more memory or time, or less, than is written", async () => {
  const envelope = await sealKey(privateKey, owner, encryptionKey, randomBytes);
  let derivations = 0;
  const counting = { derive: () => Promise.reject(new Error(`derived ${++derivations}`)) };
  const hostile = [
    [5, 14],
    [5, 18],
    [5, 30],
    [5, 255],
    [5, 0],
    [6, 7],
    [6, 9],
    [6, 255],
    [7, 0],
    [7, 2],
    [7, 255],
  ] as const;
  for (const [at, value] of hostile) {
    const copy = Uint8Array.from(envelope);
    copy[at] = value;
    await assert.rejects(openKey(copy, owner, counting as unknown as KeyEncryptionKey), hasCode("ca-key/damaged"));
  }
  const version = Uint8Array.from(envelope);
  version[4] = 2;
  await assert.rejects(openKey(version, owner, encryptionKey), hasCode("ca-key/unknown-version"));
  const huge = new Uint8Array(8 * 1024 + 1);
  huge.set(envelope);
  await assert.rejects(openKey(huge, owner, counting as unknown as KeyEncryptionKey), hasCode("ca-key/damaged"));
  assert.equal(derivations, 0);
});
