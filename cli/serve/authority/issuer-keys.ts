import type { TokenMethodParts } from "#ca/callers/token";
import type { TokenIssuers } from "#ca/callers/token-issuers";
import type { KeySetStore } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import { createTokenVerifier } from "#identity/token/verify";
import type { Clock } from "#platform/clock";
import { fetchDocument } from "#platform/fetch-document";
import type { Log } from "#platform/log";
import { createSignatureVerifier } from "#platform/signature-verifier";
import type { Timers } from "#platform/timers";
import type { JwtConfig } from "../../config/model.ts";
import { createAttemptLog, prepareFetching } from "../issuer-keys.ts";

/** For so long a start waits for keys of issuers; what does not come by then is fetched on. */
const patienceMillis = 3_000;

export interface AuthorityKeysParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How documents are fetched: as those of the rules' issuers are. */
  readonly jwt: JwtConfig;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** Keys of the issuers whose tokens prove callers to the authority, kept fresh. Apart from those of the rules, whose issuers are others' business. */
export async function followAuthorityKeys(
  issuers: () => TokenIssuers,
  { environment, jwt, clock, timers, log }: AuthorityKeysParts,
): Promise<{ readonly tokens: Omit<TokenMethodParts, "leewaySeconds">; readonly keys: KeySetStore }> {
  const fetching = await prepareFetching(jwt, environment);
  const keys = createKeySetStore({
    fetchDocument: (uri, options) => fetchDocument(uri, fetching.fetch, options),
    clock,
    timers,
    random: Math.random,
    settings: () => fetching,
    onAttempt: createAttemptLog(log),
  });
  await keys.follow(issuers().keySources, patienceMillis);
  return {
    keys,
    tokens: {
      issuers,
      keySets: () => keys.current(),
      missed: (sourceId, kid) => keys.missed(sourceId, kid),
      verifyToken: createTokenVerifier(createSignatureVerifier()),
    },
  };
}
