/** Why an RSA modulus is weak: anybody who tries can find its factors. */
export type RsaWeakness = "small-factor" | "close-primes" | "roca";

/**
 * Tries the quick attacks that a certificate authority must try: a factor below 752, primes so close that 110 rounds of Fermat's method part them, and the
 * fingerprint of a card library whose primes are powers of 65537 modulo a primorial (ROCA, CVE-2017-15361; one sound key in 240 million has it by chance). For
 * an odd modulus. Undefined: none succeeds, which is no proof of strength. Total. About 30 µs for 2048 bits, 50 µs for 4096.
 */
export function rsaWeakness(modulus: bigint): RsaWeakness | undefined {
  const residues = residuesOf(modulus);
  if (residues.includes(0)) return "small-factor";
  if (hasRocaFingerprint(residues)) return "roca";
  return hasClosePrimes(modulus) ? "close-primes" : undefined;
}

const SMALLEST_UNTRIED = 752;

/** 2 to 751. */
const smallPrimes: readonly number[] = Array.from({ length: SMALLEST_UNTRIED - 2 }, (_, i) => i + 2).filter(isPrime);

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}

/** Runs of `smallPrimes` whose product is a safe integer. PERF: the modulus is divided once, by the product of all, and the rest by each of these. */
const runs = smallPrimes.reduce<{ product: number; primes: number[] }[]>((made, prime) => {
  const last = made.at(-1);
  if (last === undefined || last.product * prime > Number.MAX_SAFE_INTEGER)
    made.push({ product: prime, primes: [prime] });
  else {
    last.product *= prime;
    last.primes.push(prime);
  }
  return made;
}, []);
const runProducts = runs.map(({ product }) => BigInt(product));
const product = runProducts.reduce((a, b) => a * b, 1n);

/** The modulus modulo each of `smallPrimes`. */
function residuesOf(modulus: bigint): readonly number[] {
  const rest = modulus % product;
  return runs.flatMap(({ primes }, i) => {
    const short = Number(rest % runProducts[i]!);
    return primes.map((prime) => short % prime);
  });
}

/** The primorial of the shortest keys ends with 167; longer keys have longer ones. */
const LARGEST_ROCA_PRIME = 167;

/** The powers of 65537 modulo each small prime of which they are not everything: 17 primes, 11 to 157. Undefined elsewhere: nothing to see there. */
const rocaResidues: readonly (ReadonlySet<number> | undefined)[] = smallPrimes.map((prime) => {
  if (prime > LARGEST_ROCA_PRIME) return undefined;
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return powers.size < prime - 1 ? powers : undefined;
});

function hasRocaFingerprint(residues: readonly number[]): boolean {
  return rocaResidues.every((powers, i) => powers === undefined || powers.has(residues[i]!));
}

/** CA/Browser Forum Baseline Requirements §6.1.1.3 asks for 100. */
const FERMAT_ROUNDS = 110;

/** n = a² - b² with b small: then a - b and a + b are the factors. Tries so many a from the square root of n up. */
function hasClosePrimes(modulus: bigint): boolean {
  const root = squareRoot(modulus);
  let a = root * root === modulus ? root : root + 1n;
  let square = a * a - modulus;
  for (let round = 0; round < FERMAT_ROUNDS; round++) {
    if (isSquare(square)) return true;
    square += 2n * a + 1n;
    a += 1n;
  }
  return false;
}

/** 3² · 5 · 7 · 11 · 13: one number in 22 is a square modulo it. */
const SIEVE = 45045;
const sieved = squaresModulo(SIEVE);
const sieved256 = squaresModulo(256);

function squaresModulo(modulus: number): Uint8Array {
  const squares = new Uint8Array(modulus);
  for (let i = 0; i < modulus; i++) squares[(i * i) % modulus] = 1;
  return squares;
}

function isSquare(n: bigint): boolean {
  // PERF: the two residues decide for all but one number in a hundred.
  if (sieved256[Number(BigInt.asUintN(8, n))] === 0 || sieved[Number(n % BigInt(SIEVE))] === 0) return false;
  const root = squareRoot(n);
  return root * root === n;
}

/** The whole part of the square root of a number that is not negative: Newton's method, from a guess that is never too small. */
function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  const bits = n.toString(16).length * 4;
  const shift = BigInt(Math.max(0, bits - 100) & ~1);
  let guess = (BigInt(Math.ceil(Math.sqrt(Number(n >> shift)) * (1 + 2 ** -50))) + 1n) << (shift / 2n);
  for (;;) {
    const next = (guess + n / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}
