import { acceptToken } from "#authz/authenticate/accept";
import type { TokenVerification } from "#authz/check/contract";
import { createTokenVerification } from "#authz/check/tokens/verification";
import { VerifiedTokens } from "#authz/check/tokens/verified-tokens";
import type { KeySetStore } from "#identity/key-sources/contract";
import { createTokenVerifier } from "#identity/token/verify";
import type { Clock } from "#platform/clock";
import type { Log } from "#platform/log";
import type { Metrics } from "#platform/metrics";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { systemTimers } from "#platform/timers";
import { createIssuerKeys, prepareFetching } from "./issuer-keys.ts";
import type { PreparedJwt } from "./prepare-jwt.ts";

export interface IssuersParts {
  readonly clock: Clock;
  /** Where the proxies are named. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The issuers of tokens: their keys, kept fresh, and what was verified with them. */
export interface Issuers {
  readonly keys: KeySetStore;
  /** By the configuration in force. */
  verification(): TokenVerification;
  /** Another configuration. Tokens are verified anew. */
  use(jwt: PreparedJwt): void;
}

/** The issuers of the rules in force, fetched by the configuration `jwt`. */
export async function createIssuers(parts: IssuersParts, jwt: PreparedJwt): Promise<Issuers> {
  const { clock, environment } = parts;
  const fetching = jwt.fetching ?? (await prepareFetching(jwt.config, environment));
  const keys = createIssuerKeys({ ...parts, timers: systemTimers, random: Math.random }, fetching);
  const verifyToken = createTokenVerifier(createSignatureVerifier());
  const verificationBy = ({ config }: PreparedJwt): TokenVerification =>
    createTokenVerification({
      maxTokenBytes: config.maxTokenBytes,
      verifyToken,
      acceptToken,
      kept: new VerifiedTokens(config.cache),
      nowMillis: clock.nowMillis,
      algorithmFit: config.algorithmFit,
      missed: keys.store.missed,
    });
  let verification = verificationBy(jwt);
  return {
    keys: keys.store,
    verification: () => verification,
    use(next) {
      if (next.fetching !== undefined) keys.use(next.fetching);
      verification = verificationBy(next);
    },
  };
}
