import type { CaseAnswer, Expectation, RequestCase, Setting } from "./case.ts";
import type { ReadCase } from "./read-cases.ts";

/** What an answer has to say, field by field; a field that is not here may say anything. */
export type Wanted = Partial<Omit<CaseAnswer, "name">>;

const compared = ["decision", "status", "body", "rule", "headers", "upstream", "audit", "dryRun", "calls"] as const;

/** Beginnings of the details of answers that Envoy's own front end gives before anybody is asked. */
const frontEndDetails = [
  "http1.",
  "http2.",
  "http.",
  "missing_host_header",
  "low_version",
  "absolute_path_rejected",
  "path_normalization_failed",
  "upgrade_failed",
  "query_missing_content_type",
] as const;

/**
 * What has to be answered to a case by what was recorded of it; undefined when nobody behind Envoy can answer for it: Envoy's
 * own front end answered, Istio's validation refuses the policies (`allowInvalid`), or a TCP connection came behind a PROXY
 * protocol header. Of a connection that was closed for want of TLS only the decision counts; a configuration that Envoy
 * refused has to be found invalid.
 */
export function wantedOf(read: ReadCase): Wanted | undefined {
  const expect = read.case.expect ?? {};
  if (expect.valid !== undefined) return { decision: expect.valid ? "valid" : "invalid" };
  if (read.type === "validation") return undefined;
  const details = expect.details ?? "";
  if (isAllowedInvalid(read.case, read.setting) || frontEndDetails.some((start) => details.startsWith(start))) {
    return undefined;
  }
  if (expect.decision === "config-error") return { decision: "invalid" };
  const http = read.case.request !== undefined;
  if (!http && read.case.connection?.proxyIp !== undefined) return undefined;
  const closed = http && expect.decision === "deny" && (expect.status ?? null) === null;
  if (closed || details.startsWith("filter_chain_not_found")) return { decision: "deny" };
  return fieldsOf(expect);
}

/** A difference of one field. */
export interface Difference {
  readonly field: string;
  readonly wanted: unknown;
  readonly got: unknown;
}

/** The fields in which an answer is not what was wanted. A wanted field that the answer lacks is a difference. */
export function differences(wanted: Wanted, got: CaseAnswer): readonly Difference[] {
  return compared
    .filter((field) => wanted[field] !== undefined)
    .filter((field) => canonical(field, wanted[field]) !== canonical(field, got[field]))
    .map((field) => ({ field, wanted: wanted[field], got: got[field] }));
}

function isAllowedInvalid(line: RequestCase, setting: Setting): boolean {
  return (line.allowInvalid ?? setting.allowInvalid) === true;
}

function fieldsOf(expect: Expectation): Wanted {
  return Object.fromEntries(compared.filter((field) => field in expect).map((field) => [field, expect[field]]));
}

/**
 * A text that is equal for values that mean the same: order of keys, of edits and of removals does not matter, nor letter
 * case in header names; several lines of one name equal one line joined by commas (an authorization server can only send
 * that); a query is compared decoded and sorted (Envoy's own JWT filter rewrites it when it takes a token out).
 */
function canonical(field: (typeof compared)[number], value: unknown): string {
  if (value === undefined) return "missing";
  if (field === "headers") return JSON.stringify(sortedEntries(value as Readonly<Record<string, string>>, true));
  if (field === "upstream") return JSON.stringify(canonicalUpstream(value as NonNullable<CaseAnswer["upstream"]>));
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null ? Object.fromEntries(sortedEntries(inner as object, false)) : inner,
  );
}

function canonicalUpstream({ path, set, removed }: NonNullable<CaseAnswer["upstream"]>): unknown {
  const lines = new Map<string, string[]>();
  for (const [name, value] of set) lines.set(name.toLowerCase(), [...(lines.get(name.toLowerCase()) ?? []), value]);
  const mark = path.indexOf("?");
  return {
    path: mark < 0 ? path : path.slice(0, mark),
    query: mark < 0 ? null : canonicalQuery(path.slice(mark + 1)),
    set: [...lines].map(([name, values]) => `${name}: ${values.join(",")}`).sort(),
    removed: removed.map((name) => name.toLowerCase()).sort(),
  };
}

function canonicalQuery(query: string): readonly string[] {
  const decoded = query.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"),
  );
  return decoded
    .split("&")
    .map((pair) => (pair.endsWith("=") ? pair.slice(0, -1) : pair))
    .sort();
}

function sortedEntries(value: object, foldKeys: boolean): readonly (readonly [string, unknown])[] {
  return Object.entries(value)
    .map(([key, inner]: [string, unknown]): [string, unknown] => [foldKeys ? key.toLowerCase() : key, inner])
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
