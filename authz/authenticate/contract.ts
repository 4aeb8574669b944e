import type { Claims } from "#authz/engine/attributes";
import type { EditedRequest } from "#authz/engine/edited-request";
import type { KeySource } from "#identity/key-set/key-source";
import type { ParsedToken, TokenFault } from "#identity/token/token";
import type { ByteString, JwtRule } from "#policy-compiler/ruleset/model";

/** One JWT rule made ready: a provider, in Envoy's words. Everything that does not depend on the request is worked out. */
export interface TokenProvider {
  /** `origins-<i>`, by its place when rules are sorted by issuer, as Istio sorts them. */
  readonly name: string;
  readonly rule: JwtRule;
  readonly keySource: KeySource;
  /** Its place among the providers of the plan. */
  readonly index: number;
}

/**
 * The JWT rules that apply to one workload, in the order in which they are tried. Made once per workload and rule set. How providers look in
 * detail is their own business (`plan.ts`); others see `providers`.
 */
export interface AuthenticationPlan {
  readonly providers: readonly TokenProvider[];
  /** Lower-case names that clients may never set: the output headers of all providers. */
  readonly outputHeaders: readonly ByteString[];
}

/** What the tokens are looked for in. The request is what the stages before have left. */
export interface AuthenticationInput {
  readonly request: EditedRequest;
  readonly method: ByteString;
  readonly scheme: ByteString;
  readonly authority: ByteString;
  /** Unix seconds. */
  readonly nowSeconds: number;
  /** Longer tokens are refused as malformed, unread. */
  readonly maxTokenBytes: number;
}

/**
 * A token that was verified for one provider, with everything that follows from it: may be kept, by token, provider and key
 * set, and used again for as long as its times allow.
 */
export interface AcceptedToken {
  readonly token: ParsedToken;
  /** The token's claims with space-delimited ones taken apart, as policies see them. */
  readonly claims: Claims;
  /** Output headers in the order in which Envoy adds them: names in lower case. */
  readonly outputs: readonly (readonly [name: ByteString, value: ByteString])[];
}

export type TokenVerdict =
  | { readonly ok: true; readonly accepted: AcceptedToken }
  | { readonly ok: false; readonly fault: TokenFault };

/** A token that has passed everything that costs no signature, and whose signature nobody has looked at yet. */
export interface UnverifiedToken {
  readonly provider: TokenProvider;
  readonly token: ParsedToken;
}

/** What is already known of a token's signature under a provider; undefined: nothing. Asked before the token is parsed. */
export type KnownVerdict = (text: string, provider: TokenProvider) => TokenVerdict | undefined;

export type Authentication =
  /**
   * No token, or good ones. `request` has the edits of this stage: tokens taken out, claims put in. `claims`: those that policies see;
   * undefined: no token. `tokens`: the claims of every token that was verified, in the order in which they were, each token once.
   */
  | {
      readonly kind: "accepted";
      readonly claims: Claims | undefined;
      readonly tokens: readonly Claims[];
      readonly request: EditedRequest;
    }
  /** `detail` is for the log: where the token stood, and what is wrong; never a part of the token. */
  | {
      readonly kind: "refused";
      readonly fault: TokenFault;
      readonly wwwAuthenticate: ByteString;
      readonly provider: TokenProvider | undefined;
      readonly detail: string;
    }
  /** Answers are wanted for these pairs; then ask again with them. */
  | { readonly kind: "lacking"; readonly pairs: readonly UnverifiedToken[] };

/** `plan.ts`. Undefined: no rule, so that this stage does not exist. */
export type CreatePlan = (rules: readonly JwtRule[]) => AuthenticationPlan | undefined;

/** `authenticate.ts`. Total, synchronous, pure; the same arguments give the same answer. `request` is not changed. */
export type Authenticate = (
  plan: AuthenticationPlan,
  input: AuthenticationInput,
  known: KnownVerdict,
) => Authentication;

/** `accept.ts`. What follows from a token whose signature was found good. */
export type AcceptToken = (unverified: UnverifiedToken) => AcceptedToken;
