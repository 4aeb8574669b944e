import type { ListenerSettings, Snapshot } from "#authz/check/contract";
import { judge } from "#authz/check/judge";
import type { StageContext } from "#authz/check/progress";
import type { Verdict } from "#authz/check/verdict";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import type { ExplainedCondition, Explanation } from "#authz/engine/decision";
import type { CheckMessage } from "./check-message.ts";
import { type MatchedField, matchedFields } from "./matched-fields.ts";

/** Described requests are asked as by an Envoy that runs our filter snippet and verifies client certificates. */
const settings: ListenerSettings = {
  name: "described",
  protocol: "grpc",
  peerIdentity: "verified",
  proxyProtocol: false,
  workload: undefined,
  destination: undefined,
  pathPrefix: "",
  attributeHeaders: false,
  secret: undefined,
  explainToClient: false,
  upstreamHeaders: [],
  deadlineMillis: 5_000,
  maxMessageBytes: 16 * 1024 * 1024,
};

/** The engine's linear walk, and the lists and conditions of the rule that decided. */
export interface Walk extends Explanation {
  readonly matched: readonly MatchedField[];
  readonly conditions: readonly ExplainedCondition[];
}

export type Asked =
  | {
      readonly ok: true;
      readonly verdict: Verdict;
      /** The linear walk of the same request; undefined when it was refused before policies were looked at. */
      readonly explain: () => Walk | undefined;
    }
  | { readonly ok: false; readonly fault: string };

/** What a described request is decided by: rules that are in force, time, and what is known of tokens. */
export type AskEnvironment = StageContext["environment"] & { readonly snapshot: Snapshot };

/** Decides a check by the same stages that a listener runs, without a wire. */
export async function ask({ message, metadata }: CheckMessage, environment: AskEnvironment): Promise<Asked> {
  const { snapshot } = environment;
  const decoded = decodeCheckRequest(message);
  if (!decoded.ok) return { ok: false, fault: decoded.fault };
  const { engine } = snapshot;
  const question = { request: decoded.request, message, metadata, listener: settings, door: "grpc" } as const;
  const verdict = await judge(question, snapshot, environment, () => settings.deadlineMillis);
  const { workload, attributes, decision, custom } = verdict;
  const explain = () => {
    if (workload === undefined || attributes === undefined) return undefined;
    const deciding = decision.rule ?? custom;
    const rule = deciding && engine.ruleSet.rules[deciding.id];
    const matched = rule === undefined ? [] : matchedFields(rule, attributes);
    const view = engine.view(workload);
    const conditions = deciding === undefined ? [] : engine.explainConditions(view, deciding, attributes);
    return { ...engine.explain(view, attributes), matched, conditions };
  };
  return { ok: true, verdict, explain };
}
