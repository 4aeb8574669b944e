import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { GrpcCheck } from "#authz/check/contract";
import { type CheckMessage, checkMessage } from "#cli/request/check-message";
import type { SourceFile } from "#policy-compiler/compile";
import { startProduct } from "#test/support/cases/product";
import { listenerOf } from "#test/support/check/check-message";
import { median } from "./cpu.ts";
import { meshFolder } from "./policies.ts";

/** A request whose token was verified before, against the same request where no rule looks at tokens. CPU time, in microseconds. */
export interface CachedTokenCost {
  readonly plainMicros: number;
  readonly tokenMicros: number;
  /** Median of the differences of rounds that ran side by side. */
  readonly addedMicros: number;
}

const issuer = "https://issuer.example.com/realms/bench";

/** `keep`: with `forwardOriginalToken`, so that the answer edits nothing; else the token is taken out of the request. */
export async function cachedTokenCost(
  rounds: number,
  checks: number,
  { keep }: { readonly keep: boolean },
): Promise<CachedTokenCost> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const folder = meshFolder(1000);
  const plain = await start(folder);
  const token = await start([...folder, authentication(publicKey, keep)]);
  const message = request(bearer(privateKey));
  await Promise.all([ask(plain.check, message), ask(token.check, message)]);
  const samples = { plain: [] as number[], token: [] as number[], added: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const one = time(plain.check, message, checks);
    const other = time(token.check, message, checks);
    // The first round warms up.
    if (round === 0) continue;
    samples.plain.push(one);
    samples.token.push(other);
    samples.added.push(other - one);
  }
  await Promise.all([plain.stop(), token.stop()]);
  return {
    plainMicros: median(samples.plain),
    tokenMicros: median(samples.token),
    addedMicros: median(samples.added),
  };
}

async function start(files: readonly SourceFile[]) {
  let id = 0;
  const product = await startProduct(files, {
    // As long as the ids of the service, so that answers are made as there.
    nextId: () => String(++id).padStart(26, "0"),
    nowMillis: Date.now,
    fetchDocument: () => Promise.reject(new Error("no document is fetched")),
  });
  if (product === undefined) throw new Error("the policies are not valid");
  return product;
}

function time(check: GrpcCheck, { message, metadata }: CheckMessage, checks: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < checks; i++) {
    const outcome = check(message, metadata, settings);
    if (outcome instanceof Promise || outcome.record.decision.outcome !== "allow")
      throw new Error("not allowed at once");
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / checks;
}

async function ask(check: GrpcCheck, { message, metadata }: CheckMessage): Promise<void> {
  const { record } = await check(message, metadata, settings);
  if (record.decision.outcome !== "allow") throw new Error(`denied: ${record.decision.reason} ${record.detail ?? ""}`);
}

function authentication(publicKey: KeyObject, keep: boolean): SourceFile {
  const key = { ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256" };
  const document = {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: "tokens", namespace: "team-8" },
    spec: { jwtRules: [{ issuer, jwks: JSON.stringify({ keys: [key] }), forwardOriginalToken: keep }] },
  };
  return { path: "tokens.json", bytes: Buffer.from(JSON.stringify(document)) };
}

/** A token as identity providers make them: about 700 characters. */
function bearer(privateKey: KeyObject): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    sub: "5a0c6a4e-9d1b-4f7a-8a35-0a6d6a5a1c11",
    aud: "api",
    iat: now,
    exp: now + 3600,
    scope: "openid email profile",
    realm_access: { roles: ["offline_access", "uma_authorization", "reader"] },
    preferred_username: "alice",
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "RS256", typ: "JWT", kid: "k1" })}.${part(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
}

/** Fits rule 8 of the folder. */
function request(token: string): CheckMessage {
  return checkMessage({
    workload: { namespace: "team-8", labels: { app: "service-8" }, address: "10.2.3.4", port: 8080 },
    caller: { principal: "bench.mesh/ns/team-16/sa/caller-8", address: "10.1.2.3" },
    request: {
      method: "GET",
      host: "service-8.example.com",
      path: "/api/v1/items-8/42?view=full",
      headers: [
        "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "accept-encoding: gzip, deflate, br, zstd",
        `authorization: Bearer ${token}`,
        "cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
        "x-request-id: 5f0c6a4e-9d1b-4f7a-8a35-0a6d6a5a1c11",
        "x-tenant: tenant-8",
        "x-forwarded-for: 203.0.113.7",
        "x-forwarded-proto: https",
        "cache-control: no-cache",
      ],
      protocol: "HTTP/2",
    },
  });
}

const settings = listenerOf({ workload: undefined, maxMessageBytes: 8 * 2 ** 20 });
