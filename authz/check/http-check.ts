import { explanationHeaders } from "./answer.ts";
import { attributeNames, OUR_PREFIX } from "./attributes/call-metadata.ts";
import type {
  CallMetadata,
  CheckEnvironment,
  HttpCheck,
  HttpCheckOutcome,
  HttpCheckRequest,
  ListenerSettings,
  Snapshot,
} from "./contract.ts";
import { groupHeaders, type HeaderLinesByName, readHttpRequest } from "./http-request.ts";
import { judge, refuse, type Verdict } from "./judge.ts";
import { describeDefect, recordVerdict } from "./record.ts";
import { refusal } from "./refusal.ts";
import { presentsSecret, SECRET_NAME } from "./secret.ts";

/** Request headers of our names that Envoy is to take away before the upstream sees them, whoever wrote them. */
const ourHeaders = [
  ...Object.values(attributeNames),
  SECRET_NAME,
  `${OUR_PREFIX}decision`,
  `${OUR_PREFIX}reason`,
  `${OUR_PREFIX}status`,
];

const noMetadata: CallMetadata = { get: () => [] };

/**
 * Envoy's HTTP service: the raw request line and header lines in, an answer out. 200 allows, anything else denies; never a
 * status of 500 or more, which Envoy would take for a failure of ours and might let through. Always answers, never throws.
 */
export function createHttpCheck(environment: CheckEnvironment): HttpCheck {
  return (received, listener) => {
    let id = "";
    let snapshot: Snapshot | undefined;
    let verdict: Verdict;
    let headers: HeaderLinesByName = new Map();
    try {
      snapshot = environment.snapshot();
      id = environment.nextId();
      headers = groupHeaders(received.headers);
      verdict = judgeRequest(received, headers, listener, snapshot);
    } catch (defect) {
      verdict = refuse(true, refusal("internal/defect", describeDefect(defect)));
    }
    return answer(verdict, headers, id, snapshot, listener);
  };
}

function judgeRequest(
  received: HttpCheckRequest,
  headers: HeaderLinesByName,
  listener: ListenerSettings,
  snapshot: Snapshot | undefined,
): Verdict {
  const refused = (...what: Parameters<typeof refusal>): Verdict => refuse(true, refusal(...what));
  if (!presentsSecret(listener.secret, headers.get(SECRET_NAME) ?? [])) return refused("listener/unauthorized");
  if (snapshot === undefined) return refused("rules/none");
  const read = readHttpRequest(received, headers, listener);
  if (!read.ok) return refused("request/unreadable", read.fault);
  // Only where the listener says that the asking Envoy writes them: any client could have.
  const metadata = listener.attributeHeaders ? { get: (name: string) => headers.get(name) ?? [] } : noMetadata;
  return judge({ request: read.request, metadata, listener, door: "http" }, snapshot);
}

function answer(
  verdict: Verdict,
  headers: HeaderLinesByName,
  id: string,
  snapshot: Snapshot | undefined,
  listener: ListenerSettings,
): HttpCheckOutcome {
  const out: [string, string][] = [];
  const allowed = verdict.decision.outcome === "allow";
  let status = verdict.status;
  if (allowed) {
    out.push(["x-envoy-auth-headers-to-remove", namesToRemove(headers).join(",")]);
  } else if (status < 300 || status >= 500) {
    // Envoy would take the one for an allowance or an odd success, the other for a failure of ours.
    out.push(["x-garita-status", String(status)]);
    status = 403;
  }
  if (listener.explainToClient) {
    for (const { name, value } of explanationHeaders(verdict, id)) out.push([name, value]);
  }
  return {
    response: { status, headers: out, body: verdict.body },
    record: recordVerdict(verdict, id, listener, snapshot?.engine.digest),
  };
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
