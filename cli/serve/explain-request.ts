import type { CheckEnvironment, ListenerSettings } from "#authz/check/contract";
import { judge } from "#authz/check/judge";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import type { ExplainAnswer } from "#authz/transport/admin/contract";
import type { RequestDescription } from "../request/description.ts";

/** Described requests are asked as by an Envoy that runs our filter snippet and verifies client certificates. */
const settings: ListenerSettings = {
  name: "explain",
  protocol: "grpc",
  peerIdentity: "verified",
  proxyProtocol: false,
  workload: undefined,
  destination: undefined,
  pathPrefix: "",
  attributeHeaders: false,
  secret: undefined,
  explainToClient: false,
  deadlineMillis: 5_000,
  maxMessageBytes: 16 * 1024 * 1024,
};

/** Explains a described request by the rules in force: the decision that a check would get, and the linear walk behind it. */
export async function explainRequest(
  description: RequestDescription,
  environment: Pick<CheckEnvironment, "snapshot">,
): Promise<ExplainAnswer> {
  // PERF: brings the generated protobuf code, which checks do without.
  const { checkMessage } = await import("../request/check-message.ts");
  const snapshot = environment.snapshot();
  if (snapshot === undefined) {
    return { ok: false, status: 503, code: "rules/none", message: "no rule set is in force yet" };
  }
  const { message, metadata } = checkMessage(description);
  const decoded = decodeCheckRequest(message);
  if (!decoded.ok) return { ok: false, status: 400, code: "request/unreadable", message: decoded.fault };
  const { engine } = snapshot;
  const verdict = judge({ request: decoded.request, metadata, listener: settings, door: "grpc" }, snapshot);
  const { decision, workload, attributes } = verdict;
  const walk =
    workload === undefined || attributes === undefined ? undefined : engine.explain(engine.view(workload), attributes);
  return {
    ok: true,
    explanation: {
      outcome: decision.outcome,
      reason: decision.reason,
      status: verdict.status,
      rule: decision.rule ?? verdict.custom,
      detail: verdict.detail,
      workload: workload === undefined ? undefined : { ...workload, labels: Object.fromEntries(workload.labels) },
      applied: walk?.applied ?? [],
      nearest: walk?.nearest ?? [],
      unknown: walk?.unknown ?? [],
      audit: decision.audit,
      dryRun: decision.dryRun,
      digest: engine.digest,
    },
  };
}
