import type { CaseAnswer, Expectation, Setting } from "../cases/case.ts";
import { type Difference, differences, wantedOf } from "../cases/compare-answers.ts";
import { controlCharacter } from "./draft-faults.ts";
import type { GeneratedCase } from "./generate.ts";
import type { Recorded } from "./observe.ts";
import type { WrittenRule } from "./render.ts";

/**
 * In what an answer differs from what Envoy made of the case. DIVERGENCE: when Envoy takes a token out of the query it decodes and
 * sorts the rest, and gives empty pairs a `=`; Garita leaves the rest as it was. So there, and only there, the query counts as a
 * multiset of decoded pairs that are not empty. DIVERGENCE: what no header can carry is refused by Envoy's router, behind the policies;
 * Garita refuses it before them. So there only the decision counts.
 */
export function differencesFromEnvoy(
  { case: line, setting, stories }: GeneratedCase,
  { expect, targetEdited }: Recorded,
  answer: CaseAnswer,
): readonly Difference[] {
  if (answer.decision === "deny" && isUnsendable(expect, stories)) return [];
  const recorded = wantedOf({ type: "request", case: { ...line, expect }, setting }) ?? {};
  const context: Receiving = {
    repeated: repeatedNames(recorded.upstream?.set ?? []),
    sent: line.request?.headers ?? [],
    payloadHeaders: payloadHeaders(setting),
  };
  const wanted = asReceived(recorded, context);
  const got = asReceived(answer, context);
  if (targetEdited) return differences(withDecodedQuery(wanted), withDecodedQuery(got));
  const found = differences(wanted, got);
  const [wantedPath, gotPath] = [wanted.upstream?.path, got.upstream?.path];
  if (wantedPath === undefined || gotPath === undefined || wantedPath === gotPath) return found;
  return [...found, { field: "upstream.path", wanted: wantedPath, got: gotPath }];
}

/** Was the request refused for a header that cannot be sent, or by a policy before that could come to light? */
function isUnsendable({ details = "" }: Expectation, stories: readonly string[]): boolean {
  if (details.startsWith("filter_removed_required_request_headers{invalid_header_value_for:")) return true;
  return details.startsWith("rbac_access_denied") && stories.includes(controlCharacter);
}

interface SeenUpstream {
  readonly upstream?: CaseAnswer["upstream"];
}

function repeatedNames(lines: readonly (readonly [name: string, value: string])[]): ReadonlySet<string> {
  const names = lines.map(([name]) => name);
  return new Set(names.filter((name, i) => names.indexOf(name) < i));
}

interface Receiving {
  /** Headers of which Envoy sends several lines, where Garita can only set one. */
  readonly repeated: ReadonlySet<string>;
  /** By the client. */
  readonly sent: readonly (readonly [name: string, value: string])[];
  /** Headers that hold payloads as they were received. */
  readonly payloadHeaders: ReadonlySet<string>;
}

function payloadHeaders({ policies = [] }: Setting): ReadonlySet<string> {
  const rules = policies.flatMap(({ spec }) => (spec as { jwtRules?: readonly WrittenRule[] }).jwtRules ?? []);
  return new Set(rules.flatMap(({ outputPayloadToHeader: name }) => (name === undefined ? [] : [name.toLowerCase()])));
}

/**
 * White space around the value of a header ends on the way to the application (RFC 9112 §5.1), where a value may then be what the
 * client sent. And members of objects come in an order that Envoy does not define.
 */
function asReceived<T extends SeenUpstream>(answer: T, { repeated, sent, payloadHeaders }: Receiving): T {
  const { upstream } = answer;
  if (upstream === undefined) return answer;
  const set = upstream.set.flatMap(([name, value], _, all): [string, string][] => {
    const alone = all.filter(([other]) => other === name).length === 1;
    const before = sent.filter(([own]) => own.toLowerCase() === name).map(([, own]) => trimmed(own));
    if (alone && before.length === 1 && before[0] === trimmed(value)) return [];
    const parts = trimmed(value).split(",");
    const lines = parts.map((part) => (repeated.has(name) ? trimmed(part) : part));
    return [[name, (payloadHeaders.has(name) ? lines : lines.map(orderedMembers)).join(",")]];
  });
  return { ...answer, upstream: { ...upstream, set } };
}

function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** Of Base64 of a JSON object or list: the same for every order of members, different for all else. */
function orderedMembers(value: string): string {
  if (!/^[A-Za-z0-9+/]+=*$/.test(value)) return value;
  const text = Buffer.from(value, "base64").toString("latin1");
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== "object") return value;
    const sorted = (inner: unknown): unknown => {
      if (Array.isArray(inner)) return inner.map(sorted);
      if (typeof inner !== "object" || inner === null) return inner;
      return Object.fromEntries(
        Object.entries(inner)
          .map(([key, one]) => [key, sorted(one)])
          .sort(),
      );
    };
    return `${JSON.stringify(sorted(read))} of ${[...text].sort().join("")}`;
  } catch {
    return value;
  }
}

/** With the query decoded to bytes, of which Envoy's own is made. */
function withDecodedQuery<T extends SeenUpstream>(answer: T): T {
  const { upstream } = answer;
  if (upstream === undefined) return answer;
  const cut = upstream.path.indexOf("?");
  if (cut < 0) return answer;
  const decoded = upstream.path
    .slice(cut + 1)
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const pairs = decoded.split("&").filter((pair) => pair !== "" && pair !== "=");
  const path = `${upstream.path.slice(0, cut)}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`;
  return { ...answer, upstream: { ...upstream, path } };
}
