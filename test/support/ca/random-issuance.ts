import type { RegistrationEntry } from "#ca/registration/contract";
import { keyKinds } from "#ca/x509/contract";
import type { Random } from "#test/support/random";
import {
  dnsName,
  emptySubject,
  extensionRequest,
  istioSubject,
  makeCsr,
  name,
  pemOf,
  sanExtension,
  uriName,
  type WorkloadKey,
  workloadKey,
} from "./make-csr.ts";
import { mutateDer } from "./mutate-der.ts";
import { partsOf } from "./registration.ts";
import { entry, sceneDomain } from "./scene.ts";

export const randomIssuer = "https://issuer.example";

/** Few identities and names, so that callers and entries meet. */
const names = ["web", "db", "cache", "queue"];
const spaces = ["shop", "pay"];
export const everyId = spaces.flatMap((space) => names.map((each) => `spiffe://${sceneDomain}/ns/${space}/sa/${each}`));

const templates = ["ns/{ns}/sa/{sa}", "ns/shop/sa/{sa}", "ns/{ns}/sa/web", "team-{team}/x"];

/** Registrations as a compiler would let them through; some of one identity, some by claims. */
export function randomEntries(random: Random): readonly RegistrationEntry[] {
  return Array.from({ length: 6 + random.below(8) }, (_, i) => {
    const byClaims = random.below(4) === 0;
    const spiffeId = byClaims ? `spiffe://${sceneDomain}/${random.pick(templates)}` : random.pick(everyId);
    const callers = Array.from({ length: 1 + random.below(3) }, () => randomSelector(random, byClaims));
    const kinds = keyKinds.filter(() => random.below(2) === 0);
    const maxTtlSeconds = random.below(2) === 0 ? undefined : 60 + random.below(100_000);
    const ttlSeconds = random.below(2) === 0 ? undefined : 60 + random.below(maxTtlSeconds ?? 100_000);
    return entry("unused", {
      name: `test/${i}`,
      spiffeId: partsOf(spiffeId),
      callers,
      dnsNames: random.below(2) === 0 ? [] : [`${random.pick(names)}.shop`, `n${i}.hello.mesh`],
      keyKinds: random.below(2) === 0 ? [] : kinds,
      ttlSeconds,
      maxTtlSeconds,
    });
  });
}

function randomSelector(random: Random, jwtOnly: boolean): RegistrationEntry["callers"][number] {
  switch (jwtOnly ? 0 : random.below(4)) {
    case 0:
      return { kind: "jwt", issuer: randomIssuer, claims: [] };
    case 1:
      return { kind: "jwt", issuer: randomIssuer, claims: [{ path: ["ns"], values: [random.pick(spaces)] }] };
    case 2:
      return { kind: "spiffe-id", id: random.pick(everyId) };
    default:
      return { kind: "join-token" };
  }
}

/** Claims of a token, some of which no identity can be made of. */
export function randomClaims(random: Random): Readonly<Record<string, unknown>> {
  const odd = ["..", "a/b", "", 7, ["web"], "ＷＥＢ"];
  const one = (from: readonly string[]): unknown => (random.below(6) === 0 ? random.pick(odd) : random.pick(from));
  return { ns: one(spaces), sa: one(names), ...(random.below(2) === 0 ? {} : { team: one(["a", "b.c"]) }) };
}

/** Enough keys that some are new and some have an identity already. */
const keyNames = ["P-256", "P-256", "P-256", "P-384", "P-384", "RSA-2048", "P-521", "secp256k1"];

export interface RandomRequest {
  readonly csrPem: string;
  /** Of the key that the request carries, if it was not broken. */
  readonly spkiDer: Uint8Array;
}

/** Requests for a few keys, with names that are its own, another's or nobody's; one in eight is broken. */
export function createRandomRequests(random: Random, newKey: () => WorkloadKey): () => RandomRequest {
  const keys: WorkloadKey[] = keyNames.map(workloadKey);
  return () => {
    const key = random.below(2) === 0 ? newKey() : random.pick(keys);
    if (!keys.includes(key)) keys.push(key);
    const alternatives = Array.from({ length: random.below(3) }, () =>
      random.below(2) === 0 ? uriName(random.pick(everyId)) : dnsName(`${random.pick(names)}.shop`),
    );
    const der = makeCsr(key, {
      subject: random.pick([emptySubject, istioSubject, name(["2.5.4.3", random.pick(names)])]),
      attributes: alternatives.length === 0 ? [] : [extensionRequest(sanExtension(...alternatives))],
    });
    const csrPem = pemOf(random.below(8) === 0 ? mutateDer(der, random) : der);
    return { csrPem, spkiDer: key.spkiDer };
  };
}
