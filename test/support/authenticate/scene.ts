import { acceptToken } from "#authz/authenticate/accept";
import { authenticate } from "#authz/authenticate/authenticate";
import type { Authentication, TokenVerdict, UnverifiedToken } from "#authz/authenticate/contract";
import { createPlan } from "#authz/authenticate/plan";
import { EditedRequest, type ReadableRequest } from "#authz/engine/edited-request";
import { encodeBase64Url } from "#identity/encoding/base64url";
import { bytesOf, utf8ByteString } from "#identity/encoding/byte-string";
import type { TokenFault } from "#identity/token/token";
import type { JwtRule } from "#policy-compiler/ruleset/model";

export const NOW = 1_800_000_000;

/** A JWT rule that says nothing but what is given. Its `jwks` is the name of the one key that it trusts. */
export function jwtRule(given: Partial<JwtRule> = {}): JwtRule {
  return {
    issuer: "https://one",
    audiences: [],
    jwksUri: undefined,
    jwks: "key",
    fromHeaders: [],
    fromParams: [],
    fromCookies: [],
    forwardOriginalToken: false,
    outputPayloadToHeader: undefined,
    outputClaimToHeaders: [],
    timeoutMillis: undefined,
    spaceDelimitedClaims: [],
    origin: { file: "ra.yaml", line: 1, column: 1 } as unknown as JwtRule["origin"],
    ...given,
  };
}

/** A token whose signature is the name of the key that made it. */
export function token(claims: object | string = { iss: "https://one" }, key = "key", head = '{"alg":"ES256"}'): string {
  const payload = typeof claims === "string" ? claims : JSON.stringify(claims);
  return [head, payload, key].map((part) => encodeBase64Url(bytesOf(utf8ByteString(part)))).join(".");
}

export interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly nowSeconds?: number;
  readonly maxTokenBytes?: number;
}

export interface Answered {
  readonly answer: Exclude<Authentication, { kind: "lacking" }>;
  /** The pairs whose signatures were asked for, in order. */
  readonly verified: readonly UnverifiedToken[];
}

/** Asks until there is an answer; signatures are good where a rule trusts the key of that name. Throws when a pair is asked for twice. */
export function answerTo(rules: readonly JwtRule[], asked: Asked): Answered {
  const plan = createPlan(rules);
  if (plan === undefined) throw new Error("no rules");
  const verdicts = new Map<string, TokenVerdict>();
  const verified: UnverifiedToken[] = [];
  for (;;) {
    const answer = authenticate(plan, inputOf(asked), (text, { name }) => verdicts.get(`${name} ${text}`));
    if (answer.kind !== "lacking") return { answer, verified };
    for (const pair of answer.pairs) {
      const key = `${pair.provider.name} ${pair.token.text}`;
      if (verdicts.has(key)) throw new Error(`asked again: ${key}`);
      verdicts.set(key, verdictOf(pair));
      verified.push(pair);
    }
  }
}

export function verdictOf(pair: UnverifiedToken): TokenVerdict {
  const fault = signatureFault(pair.token.signature, pair.provider.rule);
  return fault === undefined ? { ok: true, accepted: acceptToken(pair) } : { ok: false, fault };
}

export function signatureFault(signature: Uint8Array, rule: JwtRule): TokenFault | undefined {
  return Buffer.from(signature).toString("latin1") === rule.jwks ? undefined : "signature";
}

export function inputOf({ method = "GET", target = "/", nowSeconds = NOW, maxTokenBytes = 8192, headers = [] }: Asked) {
  const received: ReadableRequest = {
    target,
    lines: (name) => headers.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value),
  };
  const request = new EditedRequest(received);
  return { request, method, scheme: "http", authority: "a.example", nowSeconds, maxTokenBytes };
}

/** The edits of an accepted request as one object: `:path` where the target changed, names without a line as an empty list. */
export function editsOf(request: EditedRequest): Readonly<Record<string, readonly string[]>> {
  const edits = Object.fromEntries(request.headerEdits());
  return request.targetEdited ? { ...edits, ":path": [request.target] } : edits;
}
