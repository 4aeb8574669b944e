import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, it } from "node:test";
import { createAuthenticateCaller } from "#ca/callers/authenticate-caller";
import { createClientCertificateMethod } from "#ca/callers/client-certificate";
import type { AuthenticateCaller, Caller, Credentials } from "#ca/callers/contract";
import { createJoinToken } from "#ca/callers/create-join-token";
import { createEndedCertificateMethod } from "#ca/callers/ended-certificate";
import { createJoinTokenMethod } from "#ca/callers/join-token";
import type { JoinTokenRecord } from "#ca/store/contract";
import {
  bothIssuers,
  cluster,
  keysOfText,
  nowMillis,
  projectedClaims,
  tokenScene,
} from "#test/support/ca/caller-tokens";
import { idOf, trustDomain } from "#test/support/ca/callers";
import { Random, testSeed } from "#test/support/random";
import { keySetOf, makeTestKeys } from "#test/support/tokens/test-keys";
import { tokenOf } from "#test/support/tokens/token-text";

const rounds = process.env["GARITA_LONG"] === "1" ? 200_000 : 6_000;
const random = new Random(testSeed("callers"));
const chance = (percent: number) => random.below(100) < percent;
const bytes = (most: number) => Uint8Array.from({ length: random.below(most) }, () => random.below(256));

const keys = makeTestKeys();
const body = JSON.stringify(projectedClaims());
/** The only credentials that are good. */
const tokens: readonly string[] = [
  tokenOf(keys.rsa, "RS256", {}, body),
  tokenOf(keys.p256, "ES256", {}, body),
  tokenOf(keys.ed25519, "EdDSA", {}, body),
];
const certificate = new Uint8Array(randomBytes(300));
const id = idOf("spiffe://example.org/ns/foo/sa/web");
const join = createJoinToken({
  random: randomBytes,
  rootFingerprint: "0a".repeat(32),
  spiffeId: id,
  ttlSeconds: undefined,
  createdBy: "operator",
  sourceCidrs: [],
  nowMillis,
});

const alphabet = 'ABCxyz019-_.~=+/ eyJ\0\n"é💥';

/** A text near a good one, or one from nowhere. */
function mutated(text: string): string {
  const characters = [...text];
  for (let i = random.below(4) + 1; i > 0; i--) {
    const at = random.below(characters.length + 1);
    const ways = [
      () => characters.splice(at, 1),
      () => characters.splice(at, 0, random.pick([...alphabet])),
      () => characters.splice(at, 1, random.pick([...alphabet])),
      () => characters.splice(at, random.below(characters.length + 1)),
      () => characters.splice(at, 0, ...characters.slice(random.below(characters.length + 1))),
      () => characters.splice(0, characters.length, ...[...Buffer.from(bytes(60)).toString("latin1")]),
    ];
    random.pick(ways)();
  }
  return characters.join("");
}

function randomBearer(): string | undefined {
  if (chance(15)) return undefined;
  const text = random.pick([...tokens, join.token]);
  return chance(20) ? text : mutated(text);
}

function randomCredentials(): Credentials {
  const certificates = Array.from({ length: chance(50) ? 0 : random.below(12) }, () => bytes(600));
  return {
    clientCertificates: chance(15) ? [certificate, ...certificates] : certificates,
    bearer: randomBearer(),
    operatorSocket: chance(10),
    remoteAddress: chance(20) ? undefined : random.pick(["192.0.2.7", "::ffff:10.0.0.1", "", "x", "2001:db8::1"]),
  };
}

let authenticate: AuthenticateCaller;
const defects: unknown[] = [];

before(() => {
  const { method: token } = tokenScene(bothIssuers, {
    [cluster]: keysOfText(keySetOf([keys.rsa, keys.p256, keys.ed25519])),
  });
  const records: readonly JoinTokenRecord[] = [join.record];
  authenticate = createAuthenticateCaller({
    clientCertificate: createClientCertificateMethod({
      verifySvid: ([leaf]) =>
        leaf !== undefined && Buffer.from(leaf).equals(certificate)
          ? { ok: true, id, leaf: { serial: new Uint8Array([1]) } as never, notAfterMillis: nowMillis + 1 }
          : { ok: false, reason: "signature-wrong" },
      bundle: () => ({ trustDomain, sequence: 1, anchors: [] }),
      isRevoked: () => undefined,
    }),
    endedCertificate: createEndedCertificateMethod({
      verifySvid: () => ({ ok: false, reason: "signature-wrong" }),
      bundle: () => ({ trustDomain, sequence: 1, anchors: [] }),
      isRevoked: () => undefined,
      graceSeconds: () => 3600,
    }),
    token,
    joinToken: createJoinTokenMethod({
      store: { joinToken: async (hash) => records.find((record) => record.hash === hash) },
      trustDomain,
    }),
    onDefect: (defect) => defects.push(defect),
  });
});

/** Who must be found: worked out from what was brought, without any of the code. A chain may be too long to be looked at. */
function expected({ clientCertificates, bearer, operatorSocket }: Credentials): Caller["method"] | undefined {
  const [leaf] = clientCertificates;
  if (leaf === certificate && clientCertificates.length <= 8) return "x509-svid";
  if (bearer !== undefined && tokens.includes(bearer)) return "jwt";
  // The root in a join token is for its bearer: the secret decides.
  if (bearer?.startsWith(join.token.slice(0, -43)) && rootIsWhole(bearer)) return "join-token";
  return operatorSocket ? "operator" : undefined;
}

function rootIsWhole(bearer: string): boolean {
  const root = bearer.slice(join.token.length - 43);
  return /^[\w-]{43}$/.test(root) && Buffer.from(root, "base64url").toString("base64url") === root;
}

it(`${rounds} random credentials: only good ones prove anything, nothing is thrown, no reason holds a secret`, async () => {
  const seen = new Map<string, number>();
  const secret = join.token.split("~")[1]!;
  for (let i = 0; i < rounds; i++) {
    const credentials = randomCredentials();
    const answer = await authenticate(credentials, nowMillis);
    const method = answer.ok ? answer.caller.method : undefined;
    assert.equal(method, expected(credentials), JSON.stringify(credentials));
    seen.set(method ?? "nobody", (seen.get(method ?? "nobody") ?? 0) + 1);
    const said = JSON.stringify(answer.attempts);
    assert.equal(said.includes(secret.slice(0, 20)), false);
    for (const token of tokens) assert.equal(said.includes(token.slice(-40)), false);
  }
  assert.deepEqual(defects, []);
  for (const name of ["x509-svid", "jwt", "join-token", "operator", "nobody"])
    assert.ok((seen.get(name) ?? 0) > 20, name);
});
