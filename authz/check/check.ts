import { makeAnswer } from "./answer.ts";
import { plainAnswer } from "./answer-template.ts";
import { OUR_PREFIX } from "./attributes/call-metadata.ts";
import type {
  CallMetadata,
  CheckEnvironment,
  CheckOutcome,
  GrpcCheck,
  ListenerSettings,
  Snapshot,
} from "./contract.ts";
import { judge, refuse, type Verdict } from "./judge.ts";
import { describeDefect, recordVerdict } from "./record.ts";
import { refusal } from "./refusal.ts";
import { presentsSecret, SECRET_NAME } from "./secret.ts";
import { answerFault } from "./wire/answer-fault.ts";
import type { CheckAnswer } from "./wire/check-answer.ts";
import type { CheckHttp } from "./wire/check-request.ts";
import { decodeCheckRequest } from "./wire/decode-check-request.ts";
import { encodeCheckResponse } from "./wire/encode-check-response.ts";

/** A verdict with what the answer needs of the request. */
interface Judged {
  readonly verdict: Verdict;
  readonly http: CheckHttp | undefined;
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

  return (message, metadata, listener) => {
    let id = "";
    let snapshot: Snapshot | undefined;
    try {
      snapshot = environment.snapshot();
      id = environment.nextId();
      return answer(judgeMessage(message, metadata, listener, snapshot), id, snapshot, listener);
    } catch (defect) {
      const verdict = refuse(true, refusal("internal/defect", describeDefect(defect)));
      const record = recordVerdict(verdict, id, listener, snapshot?.engine.digest);
      try {
        return answer({ verdict, http: undefined }, id, snapshot, listener);
      } catch {
        return { response: lastResort, record };
      }
    }
  };
}

function judgeMessage(
  message: Uint8Array,
  metadata: CallMetadata,
  listener: ListenerSettings,
  snapshot: Snapshot | undefined,
): Judged {
  const refused = (...what: Parameters<typeof refusal>): Judged => ({
    verdict: refuse(true, refusal(...what)),
    http: undefined,
  });
  if (listener.secret !== undefined && !presentsSecret(listener.secret, metadata.get(SECRET_NAME)))
    return refused("listener/unauthorized");
  if (message.length > listener.maxMessageBytes) return refused("request/too-large", `${message.length} bytes`);
  if (snapshot === undefined) return refused("rules/none");
  const decoded = decodeCheckRequest(message);
  if (!decoded.ok) return refused("request/unreadable", decoded.fault);
  const { request } = decoded;
  return { verdict: judge({ request, metadata, listener, door: "grpc" }, snapshot), http: request.http };
}

function answer(
  { verdict, http }: Judged,
  id: string,
  snapshot: Snapshot | undefined,
  listener: ListenerSettings,
): CheckOutcome {
  const digest = snapshot?.engine.digest;
  if (snapshot !== undefined && editsNothing(verdict, http, listener)) {
    const response = plainAnswer(verdict, id, snapshot.engine);
    if (response !== undefined) return { response, record: recordVerdict(verdict, id, listener, digest) };
  }
  const made = makeAnswer(verdict, id, digest, http, listener);
  // An allowing answer that cannot be written would go out as a denial: the record must say so.
  const fault = made.allowed && editsHeaders(made) ? answerFault(made) : undefined;
  if (fault !== undefined) {
    const { workload, attributes } = verdict;
    const refused = refuse(verdict.isHttp, refusal("request/unreadable", fault), {
      ...(workload && { workload }),
      ...(attributes && { attributes }),
    });
    return answer({ verdict: refused, http }, id, snapshot, listener);
  }
  return { response: encodeCheckResponse(made), record: recordVerdict(verdict, id, listener, digest) };
}

/** Nothing in the answer is of this request but its id. */
function editsNothing(verdict: Verdict, http: CheckHttp | undefined, listener: ListenerSettings): boolean {
  return (
    verdict.newTarget === undefined &&
    !listener.explainToClient &&
    (http === undefined || verdict.decision.outcome === "deny" || http.headerNamesBeginning(OUR_PREFIX).length === 0)
  );
}

function editsHeaders({ setHeaders, removeHeaders, responseHeaders }: CheckAnswer): boolean {
  return setHeaders.length + removeHeaders.length + responseHeaders.length > 0;
}
