import assert from "node:assert/strict";
import { test } from "node:test";
import type { Certificate } from "#ca/x509/contract";
import { readCertificate } from "#ca/x509/read-certificate";
import { verifySvid } from "#ca/x509/verify-svid";
import { makeTestKeys } from "#test/support/ca/chain-certificates";
import { makeChains } from "#test/support/ca/chains";
import { Random, testSeed } from "#test/support/random";

test("a chain of which a byte is another is refused, or is the same in all that counts", async () => {
  const random = new Random(testSeed("fuzz/ca/svids"));
  const nowMillis = Date.UTC(2026, 10, 1, 12);
  // A byte that is another can mend these, for what is wrong with them is not signed.
  const unsigned: readonly string[] = ["signature-wrong", "algorithm-mismatch"];
  const chains = makeChains(await makeTestKeys(), nowMillis).filter(({ expected }) => !unsigned.includes(expected));
  const anchors = new Map<string, readonly Certificate[]>();
  const bundleOf = (bundles: Readonly<Record<string, readonly Uint8Array[]>>, name: string) => {
    const ders = bundles[name];
    if (ders === undefined) return undefined;
    const key = ders.map((der) => Buffer.from(der).toString("base64")).join();
    if (!anchors.has(key))
      anchors.set(
        key,
        ders.flatMap((der) => {
          const read = readCertificate(der);
          return read.ok ? [read.value] : [];
        }),
      );
    return anchors.get(key);
  };
  const runs = process.env["GARITA_LONG"] === "1" ? 300_000 : 5_000;
  for (let run = 0; run < runs; run++) {
    const each = random.pick(chains);
    const chain = each.chain.map((der) => new Uint8Array(der));
    const changed = random.below(chain.length);
    for (let i = random.below(3); i >= 0; i--) {
      const der = chain[changed]!;
      der[random.below(der.length)]! = random.below(256);
    }
    const verdictOf = (certificates: readonly Uint8Array[]) =>
      verifySvid(certificates, (name) => bundleOf(each.bundles, name), nowMillis);
    if (!verdictOf(chain).ok) continue;
    // What was right may stay so: nothing changed after all, or only a certificate that the path goes without.
    const isSame = chain.every((der, i) => Buffer.compare(der, each.chain[i]!) === 0);
    if (each.expected === "ok" && (isSame || (changed > 0 && verdictOf(chain.toSpliced(changed, 1)).ok))) continue;
    assert.fail(`run ${run}: ${each.name}, ${chain.map((der) => Buffer.from(der).toString("hex")).join(" ")}`);
  }
});
