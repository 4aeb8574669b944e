import type { Claims } from "#authz/engine/attributes";
import type { EditedRequest } from "#authz/engine/edited-request";
import type { TokenFault } from "#identity/token/token";
import { isHeaderValue } from "#policy-compiler/ruleset/header-text";
import type { ByteString } from "#policy-compiler/ruleset/model";
import type { TokenChecker } from "./check-token.ts";
import type { AcceptedToken, UnverifiedToken } from "./contract.ts";
import { extractTokens, type TokenPlace } from "./extract.ts";
import type { PreparedProvider } from "./provider.ts";
import { cutParameter } from "./query.ts";
import type { TokenReader } from "./token-reader.ts";

export type Refusal = {
  readonly kind: "refused";
  readonly fault: TokenFault;
  readonly provider: PreparedProvider;
  readonly place: TokenPlace;
};

export type ProviderOutcome =
  /** It found tokens, and all are good. */
  | { readonly kind: "passed" }
  /** It found none. */
  | { readonly kind: "missed" }
  | Refusal
  | { readonly kind: "lacking"; readonly pair: UnverifiedToken };

/** A provider put a claim into a header that no header may carry. */
export interface UnfitOutput {
  readonly provider: PreparedProvider;
  readonly place: TokenPlace;
  readonly header: ByteString;
}

/**
 * Providers tried one after the other on one request. INVARIANT: what a provider did before it failed stays done, as in Envoy, and the next one
 * finds the request so. Envoy: verifier.cc, authenticator.cc.
 */
export class Evaluation {
  readonly request: EditedRequest;
  readonly #reader: TokenReader;
  readonly #checker: TokenChecker;
  #claims: Claims | undefined;
  /** By its text: rules may find the same token, in the second round once more. */
  readonly #accepted = new Map<ByteString, Claims>();
  readonly #unfit: UnfitOutput[] = [];

  constructor(request: EditedRequest, reader: TokenReader, checker: TokenChecker) {
    this.request = request;
    this.#reader = reader;
    this.#checker = checker;
  }

  /** Claims of the token that was accepted last, also by a provider that failed afterwards. */
  get claims(): Claims | undefined {
    return this.#claims;
  }

  /** Claims of every token that was accepted, in order, each token once. */
  get tokens(): readonly Claims[] {
    return [...this.#accepted.values()];
  }

  /** Tries one provider. ORDER: it finds all its tokens before it verifies the last of them, then the one before, and so on. */
  evaluate(provider: PreparedProvider): ProviderOutcome {
    for (const name of provider.outputHeaders) this.request.remove(name);
    const tokens = extractTokens(provider, this.#reader);
    for (const { text, place } of tokens.toReversed()) {
      const check = this.#checker.check(text, provider);
      if (check.kind === "refused") return { kind: "refused", fault: check.fault, provider, place };
      if (check.kind === "unverified") return { kind: "lacking", pair: { provider, token: check.token } };
      this.#accept(check.accepted, provider, place);
    }
    return tokens.length > 0 ? { kind: "passed" } : { kind: "missed" };
  }

  /** A header that Envoy's own codec would refuse to send: the request as it is now may not go out. */
  unfitOutput(): UnfitOutput | undefined {
    return this.#unfit.find(({ header }) => !this.request.lines(header).every(isHeaderValue));
  }

  /** ORDER: outputs first: one that is written where the token stood goes with the token. */
  #accept(accepted: AcceptedToken, provider: PreparedProvider, place: TokenPlace): void {
    for (const [header, value] of accepted.outputs) {
      this.request.add(header, value);
      if (!isHeaderValue(value)) this.#unfit.push({ provider, place, header });
    }
    if (!provider.rule.forwardOriginalToken) this.#remove(place);
    this.#claims = accepted.claims;
    const { text } = accepted.token;
    if (!this.#accepted.has(text)) this.#accepted.set(text, accepted.claims);
  }

  /** A header goes with all its lines, a parameter with all its occurrences; Envoy leaves cookies alone. */
  #remove({ kind, name }: TokenPlace): void {
    if (kind === "header") this.request.remove(name);
    else if (kind === "parameter") this.request.target = cutParameter(this.request.target, name);
  }
}
