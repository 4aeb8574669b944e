import { hash } from "node:crypto";
import { utf8Text } from "#identity/encoding/byte-string";
import { quote } from "#identity/encoding/quote";
import type { KeySet, VerificationKey } from "#identity/key-set/key-set";
import type { KeySets, KeyState } from "#identity/key-sources/contract";
import { nameOfSource, withoutCredentials } from "#identity/key-sources/shown";
import { isMeant } from "#identity/token/attempt";
import { parseToken } from "#identity/token/parse";
import { fitsStrictly } from "#identity/token/strict";
import { type ParsedToken, tokenFaults } from "#identity/token/token";
import type { VerifyToken } from "#identity/token/verification";
import type { Caller } from "./contract.ts";
import { type MethodAnswer, refused, unavailable } from "./method.ts";
import { plainClaims } from "./plain-claims.ts";
import { createRecent } from "./recent.ts";
import type { TokenIssuer, TokenIssuers } from "./token-issuers.ts";
import { tokenRefusal } from "./token-refusal.ts";

export interface TokenMethodParts {
  /** Those of the configuration in force. */
  readonly issuers: () => TokenIssuers;
  /** The keys in force. */
  readonly keySets: () => KeySets;
  /** A token names a key that its issuer's set has not. */
  readonly missed: (sourceId: string, kid: string) => void;
  /** See `createTokenVerifier`. It is always told to be strict. */
  readonly verifyToken: VerifyToken;
  /** For `nbf` and `iat`; `exp` has none. Undefined: 60. */
  readonly leewaySeconds?: number;
}

type TokenCaller = Extract<Caller, { readonly method: "jwt" }>;

interface Kept {
  readonly caller: TokenCaller;
  /** INVARIANT: what was verified for one issuer's configuration and key set says nothing under another. */
  readonly issuer: TokenIssuer;
  readonly keySet: number;
}

/** Tokens of Kubernetes have 1 to 2 KiB. */
export const maxTokenBytes = 16 * 1024;
/** So many keys of an issuer are tried with a token: a token that names none must not cost a signature for each of hundreds. */
export const maxKeysTried = 4;
const defaultLeewaySeconds = 60;
const cacheLimits = { maxEntries: 32_768, maxBytes: 64 * 1024 * 1024 };

/**
 * Proves a caller by a JSON Web Token of a configured issuer (RFC 7519, RFC 8725): always strict, whatever else the service takes from Envoy's ways; asymmetric algorithms
 * alone; `iss`, `aud` and `exp` are demanded. Headers that name or bring keys (`jku`, `x5u`, `jwk`, `x5c`) are not looked at. A projected token of
 * Kubernetes is one of these: verified by the keys of its cluster, it stays good until its `exp`, also when its pod is gone.
 *
 * PERF: what was found good is believed for a minute and not beyond `exp`, as long as the issuer's keys and configuration stay the same.
 */
export function createTokenMethod(parts: TokenMethodParts) {
  const recent = createRecent<Kept>(cacheLimits);
  const leewaySeconds = parts.leewaySeconds ?? defaultLeewaySeconds;

  const known = (evidence: string, nowMillis: number): TokenCaller | undefined => {
    const kept = recent.get(evidence, nowMillis);
    if (kept === undefined) return undefined;
    const { issuer, keySet } = kept;
    const state = parts.keySets().of(issuer.keySource.id);
    const same = parts.issuers().byIssuer(issuer.issuer) === issuer && versionOf(state) === keySet;
    if (!same) recent.drop(evidence);
    return same ? kept.caller : undefined;
  };

  const keysFor = (token: ParsedToken, { keySource }: TokenIssuer): KeySet | MethodAnswer => {
    const state = parts.keySets().of(keySource.id);
    const of = `of ${nameOfSource(keySource)}`;
    if (state.kind === "unfetched") return unavailable(`the keys ${of} have not been fetched`);
    if (state.kind === "unusable") return unavailable(`none of the keys ${of} can be used`);
    const { version, keys } = state.keys;
    const meant = keys.filter((key) => isMeant(token, key));
    if (meant.length === 0) {
      parts.missed(keySource.id, token.kid);
      return refused(`no key ${of} is the one that the token names, ${namedKey(token)}`);
    }
    return fittingKeys(token, meant, version, of);
  };

  return async (text: string, nowMillis: number): Promise<MethodAnswer> => {
    if (text.length > maxTokenBytes) return refused(`more than ${maxTokenBytes} bytes`);
    if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return refused("no token: not three parts of base64url");
    const evidence = hash("sha256", text, "hex");
    const caller = known(evidence, nowMillis);
    if (caller !== undefined) return { ok: true, caller };

    const parse = parseToken(text);
    if (!parse.ok) return refused(tokenFaults[parse.fault].text);
    const { token } = parse;
    // ORDER: before any key is looked at, so that a public key is never tried as a secret.
    if (token.algorithm.startsWith("HS")) return refused(`the symmetric algorithm \`${token.algorithm}\``);
    if (token.issuer === "") return refused("it has no `iss`");
    const issuer = parts.issuers().byIssuer(token.issuer);
    if (issuer === undefined)
      return refused(`the issuer ${quote(withoutCredentials(utf8Text(token.issuer)))} is not configured`);
    const refusal = tokenRefusal(token, issuer, nowMillis, leewaySeconds);
    if (refusal !== undefined) return refused(refusal);

    const keys = keysFor(token, issuer);
    if (!("version" in keys)) return keys;
    const verified = await parts.verifyToken(token, keys, "strict");
    if (!verified.ok) return refused(tokenFaults[verified.fault].text);
    const { claims, sizeBytes } = plainClaims(token.claims);
    const { sub: subject } = claims;
    const found: TokenCaller = {
      method: "jwt",
      issuer: issuer.name,
      subject: typeof subject === "string" ? subject : undefined,
      claims,
      evidence,
    };
    const when = { nowMillis, endsMillis: token.expiresAt * 1000 };
    recent.set(evidence, { caller: found, issuer, keySet: keys.version }, when, entryBytes + sizeBytes);
    return { ok: true, caller: found };
  };
}

/** Of a caller, its key and what is around them, beside the claims. */
const entryBytes = 700;

function versionOf(state: KeyState): number | undefined {
  return state.kind === "keys" ? state.keys.version : undefined;
}

/** Keys whose type, curve and length are the algorithm's. The set keeps its version: it is a part of that set. */
function fittingKeys(
  token: ParsedToken,
  meant: readonly VerificationKey[],
  version: number,
  of: string,
): KeySet | MethodAnswer {
  const keys = meant.filter((key) => fitsStrictly(token, key));
  if (keys.length === 0) return refused(`no key ${of} goes with the algorithm \`${token.algorithm}\``);
  if (keys.length <= maxKeysTried) return { version, keys };
  return refused(
    `${keys.length} keys ${of} may be meant, at most ${maxKeysTried} are tried: let tokens name one by \`kid\``,
  );
}

function namedKey({ kid, algorithm }: ParsedToken): string {
  return kid === "" ? `of \`${algorithm}\`` : quote(utf8Text(kid));
}
