import type { CheckEnvironment } from "#authz/check/contract";
import type { ExplainAnswer } from "#authz/transport/admin/contract";
import type { RequestDescription } from "./description.ts";
import { explanationOf } from "./explanation.ts";

/** Explains a described request by the rules in force: the decision that a check would get, and the linear walk behind it. */
export async function explainRequest(
  description: RequestDescription,
  environment: Pick<CheckEnvironment, "snapshot" | "nowMillis" | "tokens">,
): Promise<ExplainAnswer> {
  // PERF: brings the generated protobuf code, which checks do without.
  const [{ checkMessage }, { ask }, { withDescribedTokens }, { describedProviders }] = await Promise.all([
    import("./check-message.ts"),
    import("./ask.ts"),
    import("./described-token.ts"),
    import("./described-providers.ts"),
  ]);
  const snapshot = environment.snapshot();
  if (snapshot === undefined) {
    return { ok: false, status: 503, code: "rules/none", message: "no rule set is in force yet" };
  }
  if (snapshot.expired === true) {
    const message = "every request is denied: the rules in force are too old or have expired, and `onStale` is `deny`";
    return { ok: false, status: 503, code: "rules/expired", message };
  }
  // A question must not reach anybody else: providers answer as described.
  const providers = describedProviders(snapshot.engine, description.providers);
  const asked = await ask(checkMessage(description), {
    snapshot: { ...snapshot, providers },
    nowMillis: environment.nowMillis,
    tokens: withDescribedTokens(environment.tokens),
  });
  if (!asked.ok) return { ok: false, status: 400, code: "request/unreadable", message: asked.fault };
  const rules = { digest: snapshot.engine.digest, commit: snapshot.commit };
  return { ok: true, explanation: { ...explanationOf(asked.verdict, asked.explain(), rules) } };
}
