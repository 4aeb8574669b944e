import { isHeaderValue } from "#policy-compiler/ruleset/header-text";
import { asText, explanationHeaders, type RequestEdits, requestEdits } from "./answer.ts";
import { attributeNames, OUR_PREFIX } from "./attributes/call-metadata.ts";
import type {
  CallMetadata,
  CheckEnvironment,
  HttpCheck,
  HttpCheckOutcome,
  HttpCheckRequest,
  ListenerSettings,
  RemainingMillis,
  Snapshot,
} from "./contract.ts";
import { framingHeaders } from "./framing-headers.ts";
import { groupHeaders, type HeaderLinesByName, readHttpRequest } from "./http-request.ts";
import { judge } from "./judge.ts";
import type { Question } from "./progress.ts";
import { describeDefect, recordVerdict } from "./record.ts";
import { refusal } from "./refusal.ts";
import { presentsSecret, SECRET_NAME } from "./secret.ts";
import { refuse, type Verdict } from "./verdict.ts";

/** Request headers of our names that Envoy is to take away before the upstream sees them, whoever wrote them. */
const ourHeaders = [
  ...Object.values(attributeNames),
  SECRET_NAME,
  `${OUR_PREFIX}decision`,
  `${OUR_PREFIX}reason`,
  `${OUR_PREFIX}status`,
];

const noMetadata: CallMetadata = { get: () => [] };

/** What an answer is made with, beside the verdict. */
interface Call {
  id: string;
  snapshot: Snapshot | undefined;
  readonly listener: ListenerSettings;
  headers: HeaderLinesByName;
}

/**
 * Envoy's HTTP service: the raw request line and header lines in, an answer out. 200 allows, anything else denies; never a
 * status of 500 or more, which Envoy would take for a failure of ours and might let through. Always answers, never throws.
 */
export function createHttpCheck(environment: CheckEnvironment): HttpCheck {
  const answerDefect = (defect: unknown, call: Call): HttpCheckOutcome =>
    answer(refuse(true, refusal("internal/defect", describeDefect(defect))), call);

  return (received, listener, remainingMillis = () => listener.deadlineMillis) => {
    const call: Call = { id: "", snapshot: undefined, listener, headers: new Map() };
    try {
      call.snapshot = environment.snapshot();
      call.id = environment.nextId();
      call.headers = groupHeaders(received.headers);
      const judged = judgeRequest(received, call, environment, remainingMillis);
      if (!(judged instanceof Promise)) return answer(judged, call);
      return judged.then((verdict) => answer(verdict, call)).catch((defect: unknown) => answerDefect(defect, call));
    } catch (defect) {
      return answerDefect(defect, call);
    }
  };
}

function judgeRequest(
  received: HttpCheckRequest,
  { headers, listener, snapshot }: Call,
  environment: CheckEnvironment,
  remainingMillis: RemainingMillis,
): Verdict | Promise<Verdict> {
  const refused = (...what: Parameters<typeof refusal>): Verdict => refuse(true, refusal(...what));
  if (!presentsSecret(listener.secret, headers.get(SECRET_NAME) ?? [])) return refused("listener/unauthorized");
  if (snapshot === undefined) return refused("rules/none");
  if (snapshot.expired === true) return refused("rules/expired");
  const read = readHttpRequest(received, headers, listener);
  if (!read.ok) return refused("request/unreadable", read.fault);
  // Only where the listener says that the asking Envoy writes them: any client could have.
  const metadata = listener.attributeHeaders ? { get: (name: string) => headers.get(name) ?? [] } : noMetadata;
  const question: Question = { request: read.request, message: undefined, metadata, listener, door: "http" };
  return judge(question, snapshot, environment, remainingMillis);
}

function answer(verdict: Verdict, call: Call): HttpCheckOutcome {
  const { id, snapshot, listener, headers } = call;
  const out: [string, string][] = [];
  const allowed = verdict.decision.outcome === "allow";
  let status = verdict.status;
  if (allowed) {
    const edits = requestEdits(verdict, undefined);
    const fault = uncarried(verdict, edits, listener);
    if (fault !== undefined) {
      const { workload, attributes } = verdict;
      const found = { ...(workload && { workload }), ...(attributes && { attributes }) };
      return answer(refuse(true, refusal("answer/not-carried", fault), found), call);
    }
    for (const { name, value } of edits.set) out.push([name, value]);
    const remove = new Set([...namesToRemove(headers), ...edits.remove]);
    for (const { name } of edits.set) remove.delete(name);
    out.push(["x-envoy-auth-headers-to-remove", [...remove].join(",")]);
  } else if (status < 300 || status >= 500) {
    // Envoy would take the one for an allowance or an odd success, the other for a failure of ours.
    out.push(["x-garita-status", String(status)]);
    status = 403;
  }
  for (const { name, value } of verdict.clientHeaders) out.push([name, value]);
  if (listener.explainToClient) {
    for (const { name, value } of explanationHeaders(verdict, id)) out.push([name, value]);
  }
  return {
    response: { status, headers: out, body: asText(verdict.body) },
    record: recordVerdict(verdict, id, listener, snapshot),
  };
}

/**
 * Why an allowed request cannot become what was decided on: Envoy takes those headers from the answer that it was told to take, one
 * line of each, and would otherwise let the client's own pass.
 */
function uncarried(verdict: Verdict, { set, remove }: RequestEdits, listener: ListenerSettings): string | undefined {
  const untold = set.find(({ name }) => !listener.upstreamHeaders.includes(name));
  if (untold !== undefined) return `header ${untold.name} is to be set, and the listener's \`upstreamHeaders\` lack it`;
  const twice = set.find(({ add }) => add === true);
  if (twice !== undefined) return `header ${twice.name} is to have several lines`;
  const odd = [...set.map(({ name }) => name), ...remove].find((name) => !token.test(name) || framingHeaders.has(name));
  if (odd !== undefined) return `${odd} is no header that an answer can change`;
  const bad = [...set, ...verdict.clientHeaders].find(({ value }) => !isHeaderValue(value));
  if (bad !== undefined) return `the value of header ${bad.name} holds a control character`;
  if (verdict.metadata.length > 0) return "dynamic metadata is to be set, which only protocol grpc carries";
  const [first] = verdict.clientHeaders;
  // A 200 has headers for the upstream and headers for the client, and Envoy tells them apart by names that it was told.
  return first === undefined ? undefined : `header ${first.name} is for the client`;
}

/** A header's name (RFC 9110 §5.6.2), in lower case: nothing else may stand in the list. */
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

/** Our names, and whatever else begins like them. */
function namesToRemove(headers: HeaderLinesByName): readonly string[] {
  const others = [...headers.keys()].filter(
    (name) => name.startsWith(OUR_PREFIX) && token.test(name) && !ourHeaders.includes(name),
  );
  return others.length === 0 ? ourHeaders : [...ourHeaders, ...others];
}
