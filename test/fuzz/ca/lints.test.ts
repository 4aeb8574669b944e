import assert from "node:assert/strict";
import { test } from "node:test";
import { lintTemplate } from "#ca/lint/linted-template";
import { encodeTbs, type ValidParts, validParts } from "#test/support/ca/certificate-parts";
import { Random, testSeed } from "#test/support/random";

/** Bytes that may be others: the serial number's, which nobody can foresee, and an authority's name, which was not granted. */
function freeBytes({ parts, context }: ValidParts, tbs: Uint8Array): (at: number) => boolean {
  const serial = Buffer.from(tbs).indexOf(Buffer.from("4a0102030405060708090a0b0c0d0e0f", "hex"));
  assert.ok(serial > 0);
  const name = context.profile === "leaf" ? -1 : Buffer.from(tbs).lastIndexOf(Buffer.from(parts.subject));
  return (at) => (at >= serial && at < serial + 16) || (name >= 0 && at >= name && at < name + parts.subject.length);
}

/** The same bytes, but that a root whose name is another in both places has its old one as its issuer. */
function renamedBack(bytes: Uint8Array, { parts, context }: ValidParts, tbs: Uint8Array): Uint8Array {
  const name = Buffer.from(parts.subject);
  const [issuer, subject] = [Buffer.from(tbs).indexOf(name), Buffer.from(tbs).lastIndexOf(name)];
  const at = (start: number) => bytes.subarray(start, start + name.length);
  if (context.profile !== "root" || Buffer.compare(at(issuer), at(subject)) !== 0) return bytes;
  const back = new Uint8Array(bytes);
  back.set(name, issuer);
  return back;
}

for (const profile of ["leaf", "issuing", "root"] as const) {
  test(`${profile}: whichever bit falls over, a lint speaks`, () => {
    for (const kind of ["P-256", "RSA-2048"] as const) {
      const valid = validParts(profile, kind, kind);
      const tbs = encodeTbs(valid.parts);
      const isFree = freeBytes(valid, tbs);
      for (let at = 0; at < tbs.length; at++) {
        if (isFree(at)) continue;
        for (let bit = 0; bit < 8; bit++) {
          const bytes = new Uint8Array(tbs);
          bytes[at]! ^= 1 << bit;
          assert.ok(!lintTemplate(bytes, valid.context).ok, `${kind}: bit ${bit} of byte ${at} fell over unseen`);
        }
      }
    }
  });
}

test("bytes that are cut, doubled, mixed and made up are linted without a throw, and never pass", () => {
  const random = new Random(testSeed("fuzz/ca/lints"));
  const runs = process.env["GARITA_LONG"] === "1" ? 1_000_000 : 20_000;
  const valid = (["leaf", "issuing", "root"] as const).flatMap((profile) =>
    (["P-256", "P-384", "RSA-2048"] as const).map((kind) => validParts(profile, kind, kind)),
  );
  const all = valid.map(({ parts }) => encodeTbs(parts));
  for (let run = 0; run < runs; run++) {
    const which = random.below(valid.length);
    const tbs = all[which]!;
    const bytes = mutated(tbs, random.pick(all), random);
    const result = lintTemplate(bytes, valid[which]!.context);
    if (!result.ok || Buffer.compare(bytes, tbs) === 0) continue;
    const isFree = freeBytes(valid[which]!, tbs);
    assert.equal(bytes.length, tbs.length, `run ${run}`);
    assert.ok(
      renamedBack(bytes, valid[which]!, tbs).every((octet, at) => octet === tbs[at] || isFree(at)),
      `run ${run} passed: ${Buffer.from(bytes).toString("hex")}`,
    );
  }
});

function mutated(tbs: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const bytes = new Uint8Array(tbs);
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(bytes.length);
    switch (random.below(4)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 2:
        bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length));
        break;
      default:
        bytes.set(other.subarray(0, Math.min(other.length, bytes.length)).subarray(at, at + 1 + random.below(40)), at);
    }
  }
  return random.below(10) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}
