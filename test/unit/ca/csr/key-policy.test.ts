import assert from "node:assert/strict";
import { checkPrimeSync, generatePrimeSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readBlockedKeys } from "#ca/csr/blocked-keys";
import { KeyPolicy } from "#ca/csr/key-policy";
import { parseCsr } from "#ca/csr/parse-csr";
import { proveCsr } from "#ca/csr/prove-csr";
import { rsaWeakness } from "#ca/csr/rsa-weakness";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { CodedError } from "#platform/coded-error";
import { makeCsr, pemOf, rsaSpki, workloadKey } from "#test/support/ca/make-csr";
import { tempFolder } from "#test/support/service/temp-folder";

/** 1024 bits, the two upper ones set: a product of two of them has 2048. */
const drawPrime = () => generatePrimeSync(1024, { bigint: true });
const largePrime = (): bigint => {
  for (;;) {
    const prime = drawPrime();
    if (prime >> 1022n === 3n) return prime;
  }
};
const nextPrime = (from: bigint): bigint => {
  let candidate = from | 1n;
  while (!checkPrimeSync(candidate)) candidate += 2n;
  return candidate;
};
const squareRoot = (n: bigint): bigint => {
  let low = 0n;
  let high = 1n << BigInt(n.toString(2).length);
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle * middle <= n) low = middle;
    else high = middle;
  }
  return low;
};

const p = largePrime();
const q = largePrime();
const sound = p * q;
const otherPrime = generatePrimeSync(1015, { bigint: true });

/** A partner of p that Fermat's method finds after about so many rounds: (p - q)² / 8p. */
const partner = (rounds: bigint): bigint => nextPrime(p + squareRoot(8n * p * rounds));

test("a modulus of two random primes has none of the weaknesses", () => {
  assert.equal(rsaWeakness(sound), undefined);
});

for (const rounds of [0n, 1n, 50n, 100n])
  test(`primes that Fermat's method parts in ${rounds} rounds are found`, () => {
    assert.equal(rsaWeakness(p * partner(rounds)), "close-primes");
  });

test("a square is found", () => {
  assert.equal(rsaWeakness(p * p), "close-primes");
});

test("primes that take many more rounds than are tried are left", () => {
  assert.equal(rsaWeakness(p * partner(400n)), undefined);
});

for (const factor of [3n, 5n, 157n, 743n, 751n])
  test(`the factor ${factor} is found`, () => {
    assert.equal(rsaWeakness(factor * p * otherPrime), "small-factor");
  });

test("757, the first prime that is not tried, is left", () => {
  assert.equal(rsaWeakness(757n * p * otherPrime), undefined);
});

/** As the card library made them: k · M + (65537^a mod M), M the product of the first primes, so many for keys of 2048 bits. */
function rocaPrime(from: bigint): bigint {
  const firstPrimes: bigint[] = [];
  for (let n = 2n; firstPrimes.length < 126; n++)
    if (firstPrimes.every((prime) => n % prime !== 0n)) firstPrimes.push(n);
  const primorial = firstPrimes.reduce((a, b) => a * b);
  const k = (3n << 1022n) / primorial + from;
  let power = 65537n ** 7n % primorial;
  for (;;) {
    const candidate = k * primorial + power;
    if (checkPrimeSync(candidate)) return candidate;
    power = (power * 65537n) % primorial;
  }
}

test("a modulus of the card library's primes is found", () => {
  assert.equal(rsaWeakness(rocaPrime(10n) * rocaPrime(1_000_000n)), "roca");
  assert.equal(rsaWeakness(rocaPrime(10n) * q), undefined);
});

const keyOf = (modulus: bigint): SubjectPublicKey => {
  const key = SubjectPublicKey.of(rsaSpki(modulus, 65537));
  assert.ok(key !== undefined);
  return key;
};

test("weak keys get nothing, each with the reason, whether seen before or not", () => {
  const policy = new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 1 });
  const cases = [
    [p * partner(10n), /Fermat/],
    [751n * (((1n << 2047n) / 751n + 1n) | 1n), /factor below 752/],
    [rocaPrime(10n) * rocaPrime(1_000_000n), /ROCA/],
  ] as const;
  for (let round = 0; round < 2; round++) {
    for (const [modulus, message] of cases) {
      for (let again = 0; again < 2; again++) {
        const fault = policy.fault(keyOf(modulus));
        assert.equal(fault?.code, "key/weak");
        assert.match(fault?.message ?? "", message);
      }
    }
    assert.equal(policy.fault(keyOf(sound)), undefined);
  }
});

test("a blocked key gets nothing, elliptic ones too, and is named by its hash", () => {
  for (const kind of ["P-256", "RSA-2048"]) {
    const parsed = parseCsr(pemOf(makeCsr(workloadKey(kind))));
    assert.ok(parsed.ok);
    const { hash } = parsed.csr.publicKey;
    const blocking = new KeyPolicy({ blockedKeys: new Set([hash]), rememberedKeys: 10 });
    const refused = proveCsr(parsed.csr, blocking);
    assert.equal(!refused.ok && refused.fault.code, "key/blocked");
    assert.match(refused.ok ? "" : refused.fault.message, new RegExp(hash));
    assert.equal(proveCsr(parsed.csr, new KeyPolicy({ blockedKeys: new Set(), rememberedKeys: 10 })).ok, true);
  }
});

test("a list of blocked keys is read line by line, and refused whole for a line that is none", async (t) => {
  const path = join(await tempFolder(t), "blocked");
  const [a, b] = ["a".repeat(64), "0123456789abcdef".repeat(4)];
  await writeFile(path, `# known to all\n${a}\n\n  ${b.toUpperCase()} # leaked\r\n`);
  assert.deepEqual(await readBlockedKeys(path), new Set([a, b]));
  const isFault = (message: RegExp) => (fault: unknown) =>
    fault instanceof CodedError && fault.code === "ca-key/blocked-list" && message.test(fault.message);
  for (const line of ["a".repeat(63), "a".repeat(65), "g".repeat(64), `${a} ${b}`]) {
    await writeFile(path, `${a}\n${line}\n`);
    await assert.rejects(readBlockedKeys(path), isFault(/line 2 of .*64 hexadecimal/));
  }
  await assert.rejects(readBlockedKeys(`${path}.none`), isFault(/cannot be read/));
});
