import { toByteString } from "#policy-compiler/ruleset/byte-string";
import { OUR_PREFIX } from "./attributes/call-metadata.ts";
import type { ListenerSettings } from "./contract.ts";
import type { Verdict } from "./judge.ts";
import type { CheckAnswer, HeaderEdit } from "./wire/check-answer.ts";
import type { CheckHttp } from "./wire/check-request.ts";

const PERMISSION_DENIED = 7;
const NONE: readonly never[] = Object.freeze([]);

/** What a client is told with `explainToClient`, on both outcomes. */
export function explanationHeaders(verdict: Verdict, id: string): HeaderEdit[] {
  return [
    { name: "x-garita-decision", value: id },
    { name: "x-garita-reason", value: toByteString(reasonText(verdict)) },
  ];
}

/** The reason's code, then the rule that decided and where it was written: `policy/denied by ns[a]-policy[b]-rule[0] at a/b.yaml:12`. */
function reasonText({ decision, custom }: Verdict): string {
  const rule = decision.rule ?? custom;
  return rule === undefined
    ? decision.reason
    : `${decision.reason} by ${rule.key} at ${rule.origin.file}:${rule.origin.line}`;
}

/**
 * A verdict as the answer to Envoy. A denial carries status and body and nothing else: Envoy gives a body its `text/plain`,
 * and turns both into `grpc-status` and `grpc-message` for a gRPC client (a content type of ours would spoil that). An
 * allowed request loses the client's headers of our names, and gets the target that was decided on.
 */
export function makeAnswer(
  verdict: Verdict,
  id: string,
  digest: string | undefined,
  http: CheckHttp | undefined,
  listener: Pick<ListenerSettings, "explainToClient">,
): CheckAnswer {
  const { decision, newTarget } = verdict;
  const allowed = decision.outcome === "allow";
  const explanation = listener.explainToClient && verdict.isHttp ? explanationHeaders(verdict, id) : NONE;
  return {
    allowed,
    code: allowed ? 0 : PERMISSION_DENIED,
    httpStatus: verdict.status,
    body: verdict.body,
    clientHeaders: allowed ? NONE : explanation,
    setHeaders: newTarget === undefined ? NONE : [{ name: ":path", value: newTarget }],
    removeHeaders: allowed && http !== undefined ? http.headerNamesBeginning(OUR_PREFIX) : NONE,
    responseHeaders: allowed ? explanation : NONE,
    metadata: [
      ["decision_id", id],
      ["outcome", decision.outcome],
      ["rule", decision.rule?.key ?? "none"],
      ["reason", decision.reason],
      ["digest", digest ?? "none"],
    ],
  };
}
