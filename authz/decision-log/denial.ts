import type { CheckRecord, FailedOpen } from "#authz/check/contract";
import { type PeerNames, type RequestAttributes, UNKNOWN } from "#authz/engine/attributes";
import { claimAt } from "#authz/engine/leaves/claims";
import { fromByteString } from "#policy-compiler/ruleset/byte-string";

/** What one log line tells of a denial, or of a request that was allowed although a provider failed. The order of the members is the order in the line. */
export interface DenialEntry {
  readonly id: string;
  readonly reason: string;
  readonly status: number;
  readonly listener: string;
  readonly workload: string | undefined;
  readonly principal: string | undefined;
  /** `iss/sub` of the token that policies see; undefined: none was verified, or it lacks one of them. */
  readonly requestPrincipal: string | undefined;
  readonly method: string | undefined;
  readonly host: string | undefined;
  /** Without the query: queries carry tokens. */
  readonly path: string | undefined;
  /** `ns[NS]-policy[NAME]-rule[i]`, and `file:line` of it (or of the PeerAuthentication or JWT rule that refused). */
  readonly rule: string | undefined;
  readonly origin: string | undefined;
  readonly digest: string | undefined;
  readonly commit: string | undefined;
  readonly detail: string | undefined;
  /** `rule code`: the conditions and values of answers that could not be evaluated, and mattered. */
  readonly conditionFaults: readonly string[] | undefined;
}

/** Texts of a request are cut to so many characters. */
const textLimit = 512;

/** An allowed request that a provider which failed was to be asked about. */
export interface FailedOpenEntry extends DenialEntry {
  readonly provider: string;
  readonly fault: string;
}

/** Builds the entry of a request that passed because its provider's options say so (`failOpen`). */
export function failedOpenEntry(record: CheckRecord, { provider, fault }: FailedOpen): FailedOpenEntry {
  return { ...denialEntry(record), detail: undefined, provider, fault: cut(fault) };
}

/** Builds the entry of a denial. Reads only what was pinned; the peer's names, never a header. */
export function denialEntry(record: CheckRecord): DenialEntry {
  const { decision, attributes, workload } = record;
  const rule = decision.rule ?? record.custom;
  const origin = rule?.origin ?? record.origin;
  const http = attributes?.http ?? record.requestLine;
  return {
    id: record.id,
    reason: decision.reason,
    status: record.status,
    listener: record.listener,
    workload: workload === undefined ? undefined : `${workload.namespace}/${workload.name ?? "?"}`,
    principal: principalOf(attributes?.peer),
    requestPrincipal: requestPrincipalOf(attributes?.claims),
    method: textOf(http?.method),
    host: withoutUser(textOf(http?.host)),
    path: withoutQuery(textOf(http?.path)),
    rule: rule?.key,
    origin: origin === undefined ? undefined : `${origin.file}:${origin.line}`,
    digest: record.digest,
    commit: record.commit,
    detail: record.detail === undefined ? undefined : cut(record.detail),
    conditionFaults:
      decision.conditionFaults.length === 0
        ? undefined
        : decision.conditionFaults.map(({ rule: { key }, code }) => `${key} ${code}`),
  };
}

function principalOf(peer: PeerNames | typeof UNKNOWN | undefined): string | undefined {
  if (peer === undefined || peer === UNKNOWN) return undefined;
  const name = peer.names[0] ?? peer.opaque[0];
  return name === undefined ? undefined : cut(fromByteString(name));
}

function requestPrincipalOf(claims: RequestAttributes["claims"]): string | undefined {
  if (claims === undefined || claims === UNKNOWN) return undefined;
  const [iss, sub] = [claimAt(claims, ["iss"]), claimAt(claims, ["sub"])];
  return typeof iss === "string" && typeof sub === "string" ? cut(fromByteString(`${iss}/${sub}`)) : undefined;
}

function textOf(value: string | typeof UNKNOWN | undefined): string | undefined {
  return value === undefined || value === UNKNOWN ? undefined : cut(fromByteString(value));
}

function withoutQuery(path: string | undefined): string | undefined {
  return path?.split(/[?#]/, 1)[0];
}

/** RFC 3986 §3.2.1: what stands before `@` may be a password. */
function withoutUser(host: string | undefined): string | undefined {
  return host?.slice(host.lastIndexOf("@") + 1);
}

function cut(text: string): string {
  return text.length <= textLimit ? text : `${text.slice(0, textLimit)}…`;
}
