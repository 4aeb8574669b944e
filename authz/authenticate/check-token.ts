import { parseToken } from "#identity/token/parse";
import type { ParsedToken, TokenFault, TokenParse } from "#identity/token/token";
import { plainAudience } from "./audience.ts";
import type { AcceptedToken, AuthenticationInput, KnownVerdict } from "./contract.ts";
import type { PreparedProvider } from "./provider.ts";

/** How far the issuer's clock may be off. Envoy's default; Istio does not change it. */
const skewSeconds = 60;

/** What is known of one token without asking anybody: good, bad with its fault, or lacking its signature. */
export type TokenCheck =
  | { readonly kind: "accepted"; readonly accepted: AcceptedToken }
  | { readonly kind: "refused"; readonly fault: TokenFault }
  /** All that is missing is the signature. */
  | { readonly kind: "unverified"; readonly token: ParsedToken };

/** Checks tokens for providers in Envoy's order; a text is parsed once, however many providers find it. Envoy: authenticator.cc. */
export class TokenChecker {
  readonly #input: Pick<AuthenticationInput, "nowSeconds" | "maxTokenBytes">;
  readonly #known: KnownVerdict;
  readonly #parsed = new Map<string, TokenParse>();

  constructor(input: Pick<AuthenticationInput, "nowSeconds" | "maxTokenBytes">, known: KnownVerdict) {
    this.#input = input;
    this.#known = known;
  }

  /**
   * ORDER: size, what is known, form, issuer, time, audience, signature. A refusal that is known stands without another look at the token, an
   * acceptance holds while everything but the signature does.
   */
  check(text: string, provider: PreparedProvider): TokenCheck {
    if (text.length > this.#input.maxTokenBytes) return { kind: "refused", fault: "form" };
    const known = this.#known(text, provider);
    if (known?.ok === false) return { kind: "refused", fault: known.fault };
    const parse = known === undefined ? this.#parse(text) : ({ ok: true, token: known.accepted.token } as const);
    const fault = parse.ok ? this.#claimsFault(parse.token, provider) : parse.fault;
    if (!parse.ok || fault !== undefined) return { kind: "refused", fault: fault ?? "form" };
    if (known !== undefined) return { kind: "accepted", accepted: known.accepted };
    return { kind: "unverified", token: parse.token };
  }

  #parse(text: string): TokenParse {
    let parse = this.#parsed.get(text);
    if (parse === undefined) {
      parse = parseToken(text);
      this.#parsed.set(text, parse);
    }
    return parse;
  }

  #claimsFault(token: ParsedToken, provider: PreparedProvider): TokenFault | undefined {
    const { nowSeconds } = this.#input;
    if (provider.issuer !== "" && token.issuer !== provider.issuer) return "issuerUnknown";
    if (nowSeconds + skewSeconds < token.notBefore) return "notYetValid";
    if (token.expiresAt !== 0 && nowSeconds > token.expiresAt + skewSeconds) return "expired";
    const { audiences } = provider;
    const allowed = audiences.size === 0 || token.audiences.some((one) => audiences.has(plainAudience(one)));
    return allowed ? undefined : "audience";
  }
}
