/** A curve y² = x³ − 3x + b over the integers modulo p, both numbers of FIPS 186-4 §D.1.2. */
export interface Curve {
  readonly name: string;
  readonly algorithm: string;
  /** Of a coordinate, and of each half of a signature (RFC 7518 §6.2.1.2, §3.4). */
  readonly sizeBytes: number;
  readonly p: bigint;
  readonly b: bigint;
}

const curves: readonly Curve[] = [
  {
    name: "P-256",
    algorithm: "ES256",
    sizeBytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  {
    name: "P-384",
    algorithm: "ES384",
    sizeBytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  {
    name: "P-521",
    algorithm: "ES512",
    sizeBytes: 66,
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
];

/** The curve of a JWK's `crv` (RFC 7518 §6.2.1.1). */
export function curveByName(name: string): Curve | undefined {
  return curves.find((curve) => curve.name === name);
}

/** The curve that an algorithm of RFC 7518 §3.4 goes with. */
export function curveByAlgorithm(algorithm: string): Curve | undefined {
  return curves.find((curve) => curve.algorithm === algorithm);
}

/** Is (x, y) a point of the curve, both coordinates below its modulus? */
export function isOnCurve({ p, b }: Curve, x: bigint, y: bigint): boolean {
  if (x >= p || y >= p) return false;
  return (y * y - (x * x * x - 3n * x + b)) % p === 0n;
}
