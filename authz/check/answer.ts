import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { OUR_PREFIX } from "./attributes/call-metadata.ts";
import type { ListenerSettings, Snapshot } from "./contract.ts";
import { noHeaders, type Verdict } from "./verdict.ts";
import { type CheckAnswer, type HeaderEdit, PERMISSION_DENIED } from "./wire/check-answer.ts";
import type { CheckHttp } from "./wire/check-request.ts";

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

/** What names the rules in an answer. */
export interface RulesNames {
  readonly digest: string;
  readonly commit?: string | undefined;
}

/** How a snapshot's rules are named. */
export function rulesNames(snapshot: Snapshot | undefined): RulesNames | undefined {
  return snapshot && { digest: snapshot.engine.digest, commit: snapshot.commit };
}

/**
 * A verdict as the answer to Envoy. A denial carries status, body and the headers that a stage asked for: Envoy gives a body its
 * `text/plain`, and turns both into `grpc-status` and `grpc-message` for a gRPC client (a content type of ours would spoil
 * that). An allowed request loses the client's headers of our names, and gets the target that was decided on and the headers as stages
 * have left them.
 */
export function makeAnswer(
  verdict: Verdict,
  id: string,
  rules: RulesNames | undefined,
  http: CheckHttp | undefined,
  listener: Pick<ListenerSettings, "explainToClient">,
): CheckAnswer {
  const { decision } = verdict;
  const allowed = decision.outcome === "allow";
  const explanation = listener.explainToClient && verdict.isHttp ? explanationHeaders(verdict, id) : noHeaders;
  const toClient = verdict.clientHeaders.length === 0 ? explanation : [...verdict.clientHeaders, ...explanation];
  const edits = allowed ? requestEdits(verdict, http) : noEdits;
  return {
    allowed,
    code: allowed ? 0 : PERMISSION_DENIED,
    httpStatus: verdict.status,
    body: asText(verdict.body),
    clientHeaders: allowed ? noHeaders : toClient,
    setHeaders: edits.set,
    removeHeaders: edits.remove,
    responseHeaders: allowed ? toClient : noHeaders,
    metadata: [
      ...verdict.metadata,
      ["decision_id", id],
      ["outcome", decision.outcome],
      ["rule", decision.rule?.key ?? "none"],
      ["reason", decision.reason],
      ["digest", rules?.digest ?? "none"],
      ...(rules?.commit === undefined ? [] : [["commit", rules.commit] as const]),
    ],
  };
}

/** What is to become of the request's headers. */
export interface RequestEdits {
  readonly set: readonly HeaderEdit[];
  readonly remove: readonly string[];
}

const noEdits: RequestEdits = { set: noHeaders, remove: noHeaders };

/** The edits of an allowed request: those of the stages, its target, and the client's headers of our names. */
export function requestEdits({ edited, newTarget }: Verdict, http: CheckHttp | undefined): RequestEdits {
  const ours = http?.headerNamesBeginning(OUR_PREFIX) ?? noHeaders;
  if (edited === undefined && newTarget === undefined) return { set: noHeaders, remove: ours };
  const set: HeaderEdit[] = [];
  const removed = new Set(ours);
  if (newTarget !== undefined) set.push({ name: ":path", value: newTarget });
  for (const [name, lines] of edited?.headerEdits() ?? noHeaders) {
    // What a stage has set under a name of ours takes the place of what the client sent.
    if (lines.length === 0) removed.add(name);
    else removed.delete(name);
    lines.forEach((value, i) => {
      set.push({ name, value, add: i > 0 });
    });
  }
  return { set, remove: [...removed] };
}

/** A body as text: bytes that are no UTF-8 cannot be carried, and become replacement characters. */
export function asText(body: ByteString): string {
  return /[^\0-\x7f]/.test(body) ? Buffer.from(body, "latin1").toString("utf8") : body;
}
