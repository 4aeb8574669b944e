import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeDenyList } from "#identity/deny-list/decode-deny-list";
import { encodeDenyList } from "#identity/deny-list/encode-deny-list";
import { denyListOf, fingerprintOf } from "#test/support/deny-lists";
import { Random, testSeed } from "#test/support/random";

const rounds = process.env["GARITA_LONG"] === "1" ? 300_000 : 20_000;
const random = new Random(testSeed("deny lists"));

const good = encodeDenyList(
  denyListOf({
    certificates: ["0", "7", "f"].map((digit, i) => ({
      fingerprint: fingerprintOf(digit),
      endsMillis: i === 1 ? undefined : i * 1000,
    })),
    identities: ["spiffe://cluster.local/ns/a/sa/b", "spiffe://cluster.local/ns/a/sa/c"],
  }),
);

/** Some bytes of a good list turned, taken out, or doubled. */
function mutate(): Uint8Array {
  const bytes = [...good];
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(bytes.length);
    const kind = random.below(3);
    if (kind === 0) bytes[at] = random.below(256);
    else if (kind === 1) bytes.splice(at, 1 + random.below(8));
    else bytes.splice(at, 0, ...bytes.slice(at, at + random.below(8)));
  }
  return Uint8Array.from(bytes);
}

test("of bytes that resemble a list, those that are taken are the one text of what they say", () => {
  let taken = 0;
  for (let i = 0; i < rounds; i++) {
    const bytes = mutate();
    const decoded = decodeDenyList(bytes);
    if (!decoded.ok) continue;
    taken++;
    assert.deepEqual(encodeDenyList(decoded.list), bytes);
  }
  // A digit of an end or a letter of an identity may be turned into another.
  assert.ok(taken > 0 && taken < rounds / 2, `${taken} of ${rounds}`);
});
