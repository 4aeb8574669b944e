import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeTrustSecret } from "#ca/transport/sds/decode-trust-secret";
import { encodeTrustSecret } from "#ca/transport/sds/encode-secret";
import { createSecretType } from "#ca/transport/sds/secret-type";
import { idOf } from "#test/support/ca/callers";
import { Random, testSeed } from "#test/support/random";
import type { Resource } from "#xds/contract";

const rounds = process.env["GARITA_LONG"] === "1" ? 500_000 : 20_000;
const random = new Random(testSeed("secrets"));

const bundles = [
  { trustDomain: "hello.mesh", pem: "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n" },
  { trustDomain: "partner.mesh", pem: "-----BEGIN CERTIFICATE-----\nAwQF\n-----END CERTIFICATE-----\n" },
];

test("a trust secret of any bytes is read as whole bundles, or not at all", () => {
  const good = encodeTrustSecret("ALL", bundles);
  assert.deepEqual(decodeTrustSecret("ALL", good), bundles);
  let taken = 0;
  for (let i = 0; i < rounds; i++) {
    const bytes = [...good];
    for (let changes = random.below(4) + 1; changes > 0; changes--) {
      const at = random.below(bytes.length);
      const byte = random.below(256);
      random.pick([
        () => bytes.splice(at, 1, byte),
        () => bytes.splice(at, 1),
        () => bytes.splice(at, 0, byte),
        () => bytes.splice(at, random.below(bytes.length)),
      ])();
    }
    const read = decodeTrustSecret("ALL", Uint8Array.from(bytes));
    if (read === undefined) continue;
    taken++;
    assert.ok(read.length > 0);
    assert.equal(new Set(read.map(({ trustDomain }) => trustDomain)).size, read.length);
    for (const { pem } of read) assert.equal(typeof pem, "string");
  }
  assert.ok(taken > 0 && taken < rounds, `${taken} of ${rounds} were taken`);
});

test("whatever name is asked for, the key comes by the names of its own identity alone", () => {
  const own = idOf("spiffe://hello.mesh/ns/hello/sa/web");
  const names = ["default", own.toString()];
  const key = { chainPem: "chain\n", keyPem: "key\n", publicKeyDer: Uint8Array.of(1) };
  const type = createSecretType<undefined>({
    trustDomain: "hello.mesh",
    open: () => ({
      id: own,
      bundles: () => ({ own: { ...bundles[0]!, version: "aa" }, foreign: [{ ...bundles[1]!, version: "bb" }] }),
      key: () => key,
      ended: () => undefined,
      subscribe: () => () => undefined,
    }),
  });
  const view = type.open(undefined);
  assert.ok("lookUp" in view);
  const keyVersion = view.lookUp("default")?.version;
  const seeds = [...names, "ROOTCA", "ALL", "spiffe://hello.mesh", "spiffe://partner.mesh"];
  let answered = 0;
  for (let i = 0; i < rounds; i++) {
    const characters = [...random.pick(seeds)];
    const at = random.below(characters.length + 1);
    characters.splice(at, random.below(3), ...random.pick(["", "/", ".", "A", "%2f", "..", "\0", "é", " ", "web"]));
    const name = characters.join("");
    const resource: Resource | undefined = view.lookUp(name);
    if (resource === undefined) continue;
    answered++;
    assert.equal(resource.name, name);
    if (resource.version === keyVersion) assert.ok(names.includes(name), name);
  }
  assert.ok(answered > 0);
});
