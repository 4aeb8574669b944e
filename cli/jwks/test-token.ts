import { acceptToken } from "#authz/authenticate/accept";
import { authenticate } from "#authz/authenticate/authenticate";
import type {
  Authentication,
  AuthenticationInput,
  AuthenticationPlan,
  TokenVerdict,
  UnverifiedToken,
} from "#authz/authenticate/contract";
import { createPlan } from "#authz/authenticate/plan";
import type { KeySets } from "#identity/key-sources/contract";
import type { TokenFault } from "#identity/token/token";
import type { AlgorithmFit, VerifyToken } from "#identity/token/verification";
import type { PlacedRule } from "./policy-sources.ts";

/** What one rule, or all that apply to a workload together, say to a request. */
export type TokenAnswer =
  | { readonly kind: "accepted" }
  /** Nothing looks for a token where it stands, so that the request passes as one without a token. */
  | { readonly kind: "missed" }
  | { readonly kind: "refused"; readonly fault: TokenFault };

export interface TestedToken {
  readonly together: TokenAnswer;
  /** In the order of the rules given. */
  readonly alone: readonly { readonly rule: PlacedRule; readonly answer: TokenAnswer }[];
}

interface Verifying {
  readonly verify: VerifyToken;
  readonly sets: KeySets;
  readonly fit: AlgorithmFit;
}

/** Authenticates a request by the rules together, as a service would, and by each of them alone, which says why. */
export async function testToken(
  rules: readonly PlacedRule[],
  input: AuthenticationInput,
  verifying: Verifying,
): Promise<TestedToken> {
  const by = async (placed: readonly PlacedRule[]): Promise<TokenAnswer> => {
    const plan = createPlan(placed.map(({ rule }) => rule));
    return plan === undefined ? { kind: "missed" } : answerOf(await authenticateBy(plan, input, verifying));
  };
  const alone: TestedToken["alone"][number][] = [];
  for (const rule of rules) alone.push({ rule, answer: await by([rule]) });
  return { together: await by(rules), alone };
}

function answerOf(authentication: Exclude<Authentication, { readonly kind: "lacking" }>): TokenAnswer {
  if (authentication.kind === "refused") return { kind: "refused", fault: authentication.fault };
  return { kind: authentication.claims === undefined ? "missed" : "accepted" };
}

async function authenticateBy(
  plan: AuthenticationPlan,
  input: AuthenticationInput,
  verifying: Verifying,
): Promise<Exclude<Authentication, { readonly kind: "lacking" }>> {
  const known = new Map<string, TokenVerdict>();
  for (;;) {
    const authentication = authenticate(plan, input, (text, { index }) => known.get(`${index} ${text}`));
    if (authentication.kind !== "lacking") return authentication;
    for (const pair of authentication.pairs) {
      known.set(`${pair.provider.index} ${pair.token.text}`, await verdictOf(pair, verifying));
    }
  }
}

async function verdictOf(pair: UnverifiedToken, { verify, sets, fit }: Verifying): Promise<TokenVerdict> {
  const state = sets.of(pair.provider.keySource.id);
  // Istio verifies with a key that nobody has until it has fetched one.
  if (state.kind === "unfetched") return { ok: false, fault: "signature" };
  if (state.kind === "unusable") return { ok: false, fault: "keysUnusable" };
  const verification = await verify(pair.token, state.keys, fit);
  return verification.ok ? { ok: true, accepted: acceptToken(pair) } : verification;
}
