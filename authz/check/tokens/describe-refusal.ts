import type { Authentication, TokenProvider } from "#authz/authenticate/contract";
import type { Snapshot } from "#authz/check/contract";
import type { WorkloadView } from "#authz/engine/contract";
import { nameOfSource, withoutCredentials } from "#identity/key-sources/shown";

/** So many issuers are named; the others are counted. */
const MOST_ISSUERS = 5;

/** A refused token for the log: the policy whose rule refused, what is wrong, and what an operator can do about it. Nothing of the token. */
export function describeTokenRefusal(
  { provider, fault, detail }: Extract<Authentication, { readonly kind: "refused" }>,
  view: WorkloadView,
  { engine, keySets }: Pick<Snapshot, "engine" | "keySets">,
): string {
  if (provider === undefined) return detail;
  const policies = view.requestAuthentications.map((i) => engine.ruleSet.requestAuthentications[i]!);
  const policy = policies.find(({ jwtRules }) => jwtRules.includes(provider.rule));
  const named = policy === undefined ? detail : `RequestAuthentication ${policy.namespace}/${policy.name}: ${detail}`;
  if (fault === "issuerUnknown")
    return `${named}; issuers that are: ${issuersOf(view.authentication?.providers ?? [])}`;
  const keyless = fault === "signature" && keySets.of(provider.keySource.id).kind === "unfetched";
  return keyless ? `${named}: no keys of ${nameOfSource(provider.keySource)}` : named;
}

function issuersOf(providers: readonly TokenProvider[]): string {
  const named = providers.filter(({ rule }) => rule.issuer !== "");
  const issuers = [...new Set(named.map(({ rule }) => withoutCredentials(rule.issuer)))];
  const more = issuers.length - MOST_ISSUERS;
  return `${issuers.slice(0, MOST_ISSUERS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
