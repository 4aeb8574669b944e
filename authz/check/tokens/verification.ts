import type { AcceptToken, TokenVerdict, UnverifiedToken } from "#authz/authenticate/contract";
import type { TokenVerification } from "#authz/check/contract";
import type { KeySet } from "#identity/key-set/key-set";
import type { ParsedToken } from "#identity/token/token";
import type { AlgorithmFit, Verification, VerifyToken } from "#identity/token/verification";
import { detach } from "../detach.ts";
import type { VerifiedTokens } from "./verified-tokens.ts";

export interface TokenVerificationParts {
  readonly maxTokenBytes: number;
  readonly verifyToken: VerifyToken;
  readonly acceptToken: AcceptToken;
  readonly kept: VerifiedTokens;
  readonly nowMillis: () => number;
  readonly algorithmFit: AlgorithmFit;
  /** A token names a key that its issuer's set has not. */
  readonly missed: (sourceId: string, kid: string) => void;
}

/** Envoy's allowance for clocks that differ. */
const SKEW_SECONDS = 60;

/** Verifies tokens against the keys that a check has pinned. Checks that bring the same new token at once share one verification. */
export function createTokenVerification(parts: TokenVerificationParts): TokenVerification {
  const { kept } = parts;
  const running = new Map<string, Promise<Verification>>();

  const check = (token: ParsedToken, keys: KeySet): Verification | Promise<Verification> => {
    const key = `${keys.version} ${token.text}`;
    const same = running.get(key);
    if (same !== undefined) return same;
    const found = parts.verifyToken(token, keys, parts.algorithmFit);
    if (!(found instanceof Promise)) return found;
    const ended = found.finally(() => running.delete(key));
    running.set(key, ended);
    return ended;
  };
  const settle = ({ provider, token }: UnverifiedToken, keys: KeySet, found: Verification): TokenVerdict => {
    if (!found.ok) {
      if (found.fault === "keyMissing") parts.missed(provider.keySource.id, token.kid);
      return found;
    }
    const accepted = parts.acceptToken({ provider, token: apart(token) });
    kept.set(accepted.token.text, provider, keys.version, accepted);
    return { ok: true, accepted };
  };

  return {
    maxTokenBytes: parts.maxTokenBytes,
    known(text, provider, keySets) {
      const state = keySets.of(provider.keySource.id);
      if (state.kind !== "keys") return undefined;
      const accepted = kept.get(text, provider, state.keys.version);
      if (accepted === undefined) return undefined;
      const { expiresAt } = accepted.token;
      if (expiresAt !== 0 && parts.nowMillis() / 1000 > expiresAt + SKEW_SECONDS) {
        kept.drop(text);
        return undefined;
      }
      return { ok: true, accepted };
    },
    verify(unverified, keySets) {
      const state = keySets.of(unverified.provider.keySource.id);
      // Istio without an issuer's keys verifies with a key that nobody has: the words are those of a wrong signature.
      if (state.kind === "unfetched") return { ok: false, fault: "signature" };
      if (state.kind === "unusable") return { ok: false, fault: "keysUnusable" };
      const found = check(unverified.token, state.keys);
      if (!(found instanceof Promise)) return settle(unverified, state.keys, found);
      return found.then((result) => settle(unverified, state.keys, result));
    },
  };
}

/** A token that outlives its request must not keep the whole message alive. */
function apart(token: ParsedToken): ParsedToken {
  const text = detach(token.text);
  return { ...token, text, payloadSegment: detach(token.payloadSegment), signedText: detach(token.signedText) };
}
