import { acceptToken } from "#authz/authenticate/accept";
import { createGrpcCheck } from "#authz/check/check";
import type { GrpcCheck } from "#authz/check/contract";
import { keySourcesOf } from "#authz/check/tokens/key-sources-of";
import { createTokenVerification } from "#authz/check/tokens/verification";
import { VerifiedTokens } from "#authz/check/tokens/verified-tokens";
import { createProviderConnections } from "#authz/custom/connections";
import type { ProviderConnections } from "#authz/custom/contract";
import type { Engine } from "#authz/engine/contract";
import { createEngine } from "#authz/engine/create-engine";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { FetchDocument } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import { createTokenVerifier } from "#identity/token/verify";
import { systemClock } from "#platform/clock";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { systemTimers } from "#platform/timers";
import type { SourceFile } from "#policy-compiler/compile";
import { compile } from "#policy-compiler/compile";

/** The product, made ready for one policy folder. */
export interface ReadyProduct {
  readonly engine: Engine;
  readonly check: GrpcCheck;
  /** Some issuer gave a document without a usable key: Envoy would refuse what istiod makes of it. */
  readonly keysUnusable: boolean;
  stop(): Promise<void>;
}

export interface Outside {
  readonly nextId: () => string;
  readonly nowMillis: () => number;
  readonly fetchDocument: FetchDocument;
  /** Left out: nothing is revoked. */
  readonly denyList?: DenyList;
}

/**
 * The parts of the product that a case goes through, put together as the service puts them together: bytes of policies in,
 * bytes of checks through. Undefined: the policies are refused.
 */
export async function startProduct(
  files: readonly SourceFile[],
  { nextId, nowMillis, fetchDocument, denyList }: Outside,
): Promise<ReadyProduct | undefined> {
  const { ruleSet } = compile(files, { istioLax: true });
  if (ruleSet === undefined) return undefined;
  const engine = createEngine(ruleSet, "0".repeat(64));
  const sources = keySourcesOf(ruleSet);
  const keys = createKeySetStore({
    fetchDocument,
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    settings: () => ({ refreshMillis: 3_600_000, maxStaleMillis: 86_400_000 }),
  });
  await keys.follow(sources, 10_000);
  const connections: ProviderConnections = createProviderConnections({ clock: systemClock });
  const providers = connections.providersOf(ruleSet);
  const tokens = createTokenVerification({
    maxTokenBytes: 64 * 1024,
    verifyToken: createTokenVerifier(createSignatureVerifier()),
    acceptToken,
    kept: new VerifiedTokens({ maxEntries: 1000, maxBytes: 16 * 2 ** 20 }),
    nowMillis,
    algorithmFit: "envoy",
    missed: keys.missed,
  });
  const snapshot = { engine, keySets: keys.current(), providers, denyList };
  return {
    engine,
    check: createGrpcCheck({ snapshot: () => snapshot, nextId, nowMillis, tokens }),
    keysUnusable: sources.some(({ id }) => keys.current().of(id).kind === "unusable"),
    async stop() {
      await Promise.all([keys.stop(), connections.stop()]);
    },
  };
}
