/**
 * `fuzz-csr-main.ts SEED COUNT`: reads and proves so many mutated requests in this process, which a test watches: a key that ends the process natively cannot be
 * caught inside it. Prints one line of JSON. Half of the mutants are signed again with the key, so that the signature does not hide what is behind it.
 */
import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { proveCsr } from "#ca/csr/prove-csr";
import { refusals } from "#ca/refusals";
import { readPem } from "#ca/x509/pem";
import { Random } from "#test/support/random";
import { oracleRead } from "./der-oracle.ts";
import { bits, seq } from "./der-writer.ts";
import { extensionRequest, makeCsr, pemOf, sanExtension, uriName, type WorkloadKey, workloadKey } from "./make-csr.ts";
import { mutateDer } from "./mutate-der.ts";

const [seed, count] = process.argv.slice(2).map(Number) as [number, number];
const random = new Random(seed);
const policy = new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 100 });

interface Base {
  readonly der: Uint8Array;
  readonly key: WorkloadKey | undefined;
}

const corpus = new URL("../../corpora/csr/", import.meta.url);
const recorded = readdirSync(corpus).map((file): Base => {
  const read = readPem(readFileSync(new URL(file, corpus), "utf8"), ["CERTIFICATE REQUEST"]);
  assert.ok(read.ok);
  return { der: read.value, key: undefined };
});
const ownKeys = ["P-256", "P-256", "P-384", "RSA-2048"].map(workloadKey);
const own = ownKeys.map((key, i): Base => {
  const uris = Array.from({ length: i + 1 }, (_, n) => uriName(`spiffe://cluster.local/ns/default/sa/${n}`));
  return { der: makeCsr(key, { attributes: [extensionRequest(sanExtension(...uris))] }), key };
});
const bases = [...recorded, ...own, ...own];

const outcomes: Record<string, number> = {};
let longestMillis = 0;
for (let i = 0; i < count; i++) {
  const base = random.pick(bases);
  const pem = random.below(50) === 0 ? mutatedText(pemOf(base.der)) : pemOf(mutant(base));
  const begun = performance.now();
  const outcome = readOnce(pem, base);
  longestMillis = Math.max(longestMillis, performance.now() - begun);
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
console.log(JSON.stringify({ outcomes, longestMillis }));

function mutant({ der, key }: Base): Uint8Array {
  if (key === undefined || random.below(2) === 0) return mutateDer(der, random);
  const root = oracleRead(der, 8);
  assert.ok(root !== undefined);
  const [signed, algorithm] = root.parts.map((part) => der.subarray(part.start, part.end)) as [Uint8Array, Uint8Array];
  const changed = mutateDer(signed, random);
  const digest = key === ownKeys[2] ? "sha384" : "sha256";
  const signature = sign(digest, changed, key.privateKey);
  return seq(changed, algorithm, bits(new Uint8Array(signature)));
}

function mutatedText(pem: string): string {
  const at = random.below(pem.length);
  const some = random.pick(["\n", "\r\n", " ", "=", "-----", "-----BEGIN ", "A", "\0", "é", "", pem]);
  return pem.slice(0, at) + some + pem.slice(at + random.below(6));
}

/** The code of the refusal, or what was accepted; anything else that happens is a failure. */
function readOnce(pem: string, base: Base): string {
  const parsed = parseCsr(pem);
  const result = parsed.ok ? proveCsr(parsed.csr, policy) : parsed;
  if (!result.ok) {
    assert.ok(result.fault.code in refusals);
    assert.ok(result.fault.message.length < 400 && !/[\n\r]/.test(result.fault.message), result.fault.message);
    return result.fault.code;
  }
  // What is accepted is DER by the oracle as well, and carries the base's own key: no other one is held here.
  const root = oracleRead(result.csr.der, 8);
  assert.ok(root !== undefined, "accepted what is not DER");
  assert.ok(Buffer.from(base.der).includes(Buffer.from(result.csr.publicKey.spkiDer)), "accepted another key");
  if (Buffer.from(base.der).equals(result.csr.der)) return "the base itself";
  assert.ok(base.key !== undefined, "accepted a mutant that nobody signed");
  return "a mutant that its key signed";
}
