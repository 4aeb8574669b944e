import { createTokenMethod } from "#ca/callers/token";
import { prepareTokenIssuers, type TokenIssuerConfig, type TokenIssuers } from "#ca/callers/token-issuers";
import { readKeySet } from "#identity/key-set/read-key-set";
import type { KeySets, KeyState } from "#identity/key-sources/contract";
import type { VerifyToken } from "#identity/token/verification";
import { createTokenVerifier } from "#identity/token/verify";
import { createSignatureVerifier } from "#platform/signature-verifier";

export const cluster = "https://kubernetes.default.svc.cluster.local";
export const otherIssuer = "https://issuer.example";

/** The second at which tokens of these tests are looked at. */
export const nowSeconds = 1_900_000_000;
export const nowMillis = nowSeconds * 1000;

/** What a sidecar's projected token says, with changes; `undefined` leaves a claim out. */
export function projectedClaims(changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    aud: ["istio-ca"],
    exp: nowSeconds + 3600,
    iat: nowSeconds,
    iss: cluster,
    "kubernetes.io": {
      namespace: "foo",
      pod: { name: "web-0", uid: "3a1e9a26-7a1f-4a0e-8a7e-3d8c8e7a0f11" },
      serviceaccount: { name: "web", uid: "c0c5a3c4-7a38-4f5d-9a5e-0f6b9d8f4a77" },
    },
    nbf: nowSeconds,
    sub: "system:serviceaccount:foo:web",
    ...changes,
  };
}

let newestVersion = 0;

/** What is known of a source whose document is this text. */
export function keysOfText(jwks: string): KeyState {
  const read = readKeySet(jwks);
  return read.ok ? { kind: "keys", keys: { version: ++newestVersion, keys: read.keys } } : { kind: "unusable" };
}

export const bothIssuers: readonly TokenIssuerConfig[] = [
  { issuer: cluster, audiences: undefined, keys: { kind: "uri", uri: `${cluster}/openid/v1/jwks` } },
  { issuer: otherIssuer, audiences: ["garita", "https://garita.example/"], keys: { kind: "discovery" } },
];

/** A token method with real signatures, whose keys and issuers can be changed, and what was asked of it. */
export function tokenScene(configs: readonly TokenIssuerConfig[], states: Readonly<Record<string, KeyState>>) {
  const real = createTokenVerifier(createSignatureVerifier());
  const scene = {
    issuers: prepareTokenIssuers(configs) as TokenIssuers,
    states,
    missed: [] as string[],
    verified: 0,
    keysLookedAt: 0,
  };
  const keySets: KeySets = {
    of(id) {
      scene.keysLookedAt++;
      const issuer = configs.find((_, i) => scene.issuers.keySources[i]?.id === id)?.issuer ?? "";
      return scene.states[issuer] ?? { kind: "unfetched" };
    },
  };
  const verifyToken: VerifyToken = (token, keys, fit) => {
    scene.verified++;
    if (fit !== "strict") throw new Error("only strict verification is wanted");
    return real(token, keys, fit);
  };
  const method = createTokenMethod({
    issuers: () => scene.issuers,
    keySets: () => keySets,
    missed: (_, kid) => scene.missed.push(kid),
    verifyToken,
  });
  return { scene, method };
}
