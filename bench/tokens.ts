import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { compactVerify, importJWK } from "jose";
import type { KeySet } from "#identity/key-set/key-set";
import { readKeySet } from "#identity/key-set/read-key-set";
import { parseToken } from "#identity/token/parse";
import { createTokenVerifier } from "#identity/token/verify";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { cpuTimes, median, spentNanos } from "./cpu.ts";

/** Tokens of a round; each is verified once a round, as a token is that no cache has seen. */
const TOKENS = 400;
const ROUNDS = 31;

/** What a token costs that was never seen before: taken apart and verified, against jose alone with a key that it imported before. */
export interface TokenCost {
  readonly algorithm: string;
  /** Processor time of all threads a token, microseconds, median of the rounds. */
  readonly joseMicros: number;
  readonly garitaMicros: number;
  /** Median of the ratios round by round. */
  readonly ratio: number;
}

/** One row for each algorithm; each round verifies tokens that no cache has seen. */
export async function tokenCost(): Promise<readonly TokenCost[]> {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return [await measure("RS256", rsa), await measure("ES256", ec)];
}

async function measure(
  algorithm: "RS256" | "ES256",
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
): Promise<TokenCost> {
  const tokens = Array.from({ length: TOKENS }, (_, i) => benchToken(algorithm, privateKey, i));
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "key-1" };
  const key = await importJWK(jwk, algorithm);
  const set = benchSet(jwk);
  const verify = createTokenVerifier(createSignatureVerifier());
  const byJose = async (token: string) => {
    await compactVerify(token, key, { algorithms: [algorithm] });
  };
  const byGarita = async (text: string) => {
    const parsed = parseToken(text);
    if (!parsed.ok || !(await verify(parsed.token, set, "envoy")).ok) throw new Error("a good token was refused");
  };
  const rounds: { jose: number; garita: number }[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    const costs = { jose: await microsEach(tokens, byJose), garita: await microsEach(tokens, byGarita) };
    // The first rounds warm up.
    if (round >= 0) rounds.push(costs);
  }
  return {
    algorithm,
    joseMicros: median(rounds.map(({ jose }) => jose)),
    garitaMicros: median(rounds.map(({ garita }) => garita)),
    ratio: median(rounds.map(({ jose, garita }) => garita / jose)),
  };
}

async function microsEach(tokens: readonly string[], verify: (token: string) => Promise<void>): Promise<number> {
  const before = cpuTimes(process.pid);
  for (const token of tokens) await verify(token);
  return spentNanos(before, cpuTimes(process.pid)) / 1000 / tokens.length;
}

function benchSet(jwk: object): KeySet {
  const read = readKeySet(JSON.stringify({ keys: [jwk] }));
  if (!read.ok) throw new Error(read.fault);
  return { version: 1, keys: read.keys };
}

/** A token of the claims that an identity provider writes, some 700 characters long. */
function benchToken(alg: string, privateKey: KeyObject, i: number): string {
  const header = { alg, kid: "key-1", typ: "JWT" };
  const payload = {
    iss: "https://issuer.example/realms/shop",
    sub: `248289761001-${i}`,
    aud: ["orders", "payments"],
    exp: 4_102_444_800,
    iat: 1_700_000_000,
    jti: `0d9c9e5a-6b1f-4f0e-9c1e-${String(i).padStart(12, "0")}`,
    scope: "openid profile email orders:read orders:write",
    realm_access: { roles: ["user", "buyer", "offline_access"] },
    name: "Jané Doe",
    email: "jane@example.com",
    email_verified: true,
  };
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
