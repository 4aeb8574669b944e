import { makeAnswer, rulesNames } from "./answer.ts";
import { plainAnswer } from "./answer-template.ts";
import { OUR_PREFIX } from "./attributes/call-metadata.ts";
import type {
  CallMetadata,
  CheckEnvironment,
  CheckOutcome,
  GrpcCheck,
  ListenerSettings,
  RemainingMillis,
  Snapshot,
} from "./contract.ts";
import { judge } from "./judge.ts";
import { describeDefect, recordVerdict } from "./record.ts";
import { refusal } from "./refusal.ts";
import { presentsSecret, SECRET_NAME } from "./secret.ts";
import { noHeaders, refuse, type Verdict } from "./verdict.ts";
import { answerFault } from "./wire/answer-fault.ts";
import type { CheckAnswer } from "./wire/check-answer.ts";
import type { CheckHttp } from "./wire/check-request.ts";
import { decodeCheckRequest } from "./wire/decode-check-request.ts";
import { encodeCheckResponse } from "./wire/encode-check-response.ts";

/** What an answer is made with, beside the verdict. */
interface Call {
  id: string;
  snapshot: Snapshot | undefined;
  readonly listener: ListenerSettings;
  http: CheckHttp | undefined;
}

/**
 * gRPC: the bytes of a CheckRequest and the call's metadata in, the bytes of a CheckResponse and a record out. Always answers
 * and never throws: a call that fails is subject to the proxy's fail-open, a denial is not.
 */
export function createGrpcCheck(environment: CheckEnvironment): GrpcCheck {
  // Made before anything can go wrong, for the case that making an answer is what goes wrong.
  const lastResort = encodeCheckResponse(
    makeAnswer(refuse(true, refusal("internal/defect")), "", undefined, undefined, { explainToClient: false }),
  );

  const answerDefect = (defect: unknown, call: Call): CheckOutcome => {
    const verdict = refuse(true, refusal("internal/defect", describeDefect(defect)));
    const record = recordVerdict(verdict, call.id, call.listener, call.snapshot);
    try {
      return answer(verdict, { ...call, http: undefined });
    } catch {
      return { response: lastResort, record };
    }
  };

  return (message, metadata, listener, remainingMillis = () => listener.deadlineMillis) => {
    const call: Call = { id: "", snapshot: undefined, listener, http: undefined };
    try {
      call.snapshot = environment.snapshot();
      call.id = environment.nextId();
      const judged = judgeMessage(message, metadata, call, environment, remainingMillis);
      if (!(judged instanceof Promise)) return answer(judged, call);
      return judged.then((verdict) => answer(verdict, call)).catch((defect: unknown) => answerDefect(defect, call));
    } catch (defect) {
      return answerDefect(defect, call);
    }
  };
}

function judgeMessage(
  message: Uint8Array,
  metadata: CallMetadata,
  call: Call,
  environment: CheckEnvironment,
  remainingMillis: RemainingMillis,
): Verdict | Promise<Verdict> {
  const { listener, snapshot } = call;
  const refused = (...what: Parameters<typeof refusal>): Verdict => refuse(true, refusal(...what));
  if (listener.secret !== undefined && !presentsSecret(listener.secret, metadata.get(SECRET_NAME)))
    return refused("listener/unauthorized");
  if (message.length > listener.maxMessageBytes) return refused("request/too-large", `${message.length} bytes`);
  if (snapshot === undefined) return refused("rules/none");
  if (snapshot.expired === true) return refused("rules/expired");
  const decoded = decodeCheckRequest(message);
  if (!decoded.ok) return refused("request/unreadable", decoded.fault);
  const { request } = decoded;
  call.http = request.http;
  return judge({ request, message, metadata, listener, door: "grpc" }, snapshot, environment, remainingMillis);
}

function answer(verdict: Verdict, call: Call): CheckOutcome {
  const { id, snapshot, listener, http } = call;
  const removed = snapshot && onlyRemoves(verdict, http, listener);
  if (snapshot !== undefined && removed !== undefined) {
    const response = plainAnswer(verdict, id, snapshot, removed);
    if (response !== undefined) return { response, record: recordVerdict(verdict, id, listener, snapshot) };
  }
  const made = makeAnswer(verdict, id, rulesNames(snapshot), http, listener);
  // An allowing answer that cannot be written would go out as a denial: the record must say so.
  const fault = made.allowed && (editsHeaders(made) || verdict.answeredByRule) ? answerFault(made) : undefined;
  if (fault !== undefined) {
    const { workload, attributes } = verdict;
    const refused = refuse(verdict.isHttp, refusal("answer/not-carried", fault), {
      ...(workload && { workload }),
      ...(attributes && { attributes }),
    });
    return answer(refused, call);
  }
  return { response: encodeCheckResponse(made), record: recordVerdict(verdict, id, listener, snapshot) };
}

/** The names of the request headers that are taken away, where nothing else in the answer is of this request but its id. */
function onlyRemoves(
  { decision, edited, newTarget, clientHeaders, answeredByRule }: Verdict,
  http: CheckHttp | undefined,
  listener: ListenerSettings,
): readonly string[] | undefined {
  if (answeredByRule || newTarget !== undefined || clientHeaders.length > 0 || listener.explainToClient)
    return undefined;
  if (http === undefined || decision.outcome === "deny") return noHeaders;
  if (http.headerNamesBeginning(OUR_PREFIX).length > 0) return undefined;
  if (edited === undefined || !edited.edited) return noHeaders;
  const removed: string[] = [];
  for (const [name, lines] of edited.headerEdits()) {
    if (lines.length > 0) return undefined;
    removed.push(name);
  }
  return removed;
}

function editsHeaders({ setHeaders, removeHeaders, responseHeaders }: CheckAnswer): boolean {
  return setHeaders.length + removeHeaders.length + responseHeaders.length > 0;
}
