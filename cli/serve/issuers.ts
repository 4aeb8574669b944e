import { acceptToken } from "#authz/authenticate/accept";
import type { TokenVerification } from "#authz/check/contract";
import { createTokenVerification } from "#authz/check/tokens/verification";
import { VerifiedTokens } from "#authz/check/tokens/verified-tokens";
import type { KeySetStore } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import type { Attempt } from "#identity/key-sources/remote-source";
import { createTokenVerifier } from "#identity/token/verify";
import type { Clock } from "#platform/clock";
import { createAddressGuard } from "#platform/fetch/address-guard";
import { loadTrustedRoots } from "#platform/fetch/trusted-roots";
import { type FetchSettings, fetchDocument } from "#platform/fetch-document";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { systemTimers } from "#platform/timers";
import type { PreparedJwt } from "./prepare-jwt.ts";

export interface IssuersParts {
  readonly clock: Clock;
  /** Where the proxies are named. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The configuration in force. */
  readonly jwt: () => PreparedJwt;
  readonly onAttempt: (attempt: Attempt) => void;
}

/** The issuers of tokens: their keys, kept fresh, and what was verified with them. */
export interface Issuers {
  readonly keys: KeySetStore;
  /** By the configuration in force when it is called. */
  verification(): TokenVerification;
}

/** The largest document of keys or of discovery that is taken. */
const maxDocumentBytes = 2 ** 20;

export function createIssuers({ clock, environment, jwt, onAttempt }: IssuersParts): Issuers {
  const fetchSettings = createFetchSettings(environment);
  const keys = createKeySetStore({
    fetchDocument: async (uri, options) => fetchDocument(uri, await fetchSettings(jwt()), options),
    clock,
    timers: systemTimers,
    random: Math.random,
    settings: () => jwt().config,
    onAttempt,
  });
  const verifyToken = createTokenVerifier(createSignatureVerifier());
  return {
    keys,
    verification() {
      const { algorithmFit, maxTokenBytes, cache } = jwt().config;
      return createTokenVerification({
        maxTokenBytes,
        verifyToken,
        acceptToken,
        kept: new VerifiedTokens(cache),
        nowMillis: clock.nowMillis,
        algorithmFit,
        missed: keys.missed,
      });
    },
  };
}

/** From where documents may be fetched, and whom to believe: worked out once for each configuration. */
function createFetchSettings(
  environment: IssuersParts["environment"],
): (jwt: PreparedJwt) => FetchSettings | Promise<FetchSettings> {
  const made = new WeakMap<PreparedJwt, FetchSettings>();
  return async (jwt) => {
    const known = made.get(jwt);
    if (known !== undefined) return known;
    const roots = jwt.roots ?? (await loadTrustedRoots(undefined));
    const guard = createAddressGuard(jwt.config.blockedCidrs);
    const settings = { guard, roots, environment, maxBytes: maxDocumentBytes };
    made.set(jwt, settings);
    return settings;
  };
}
