import type { CheckEnvironment, CheckOutcome, CheckRecord, GrpcCheck, ListenerSettings } from "#authz/check/contract";
import { snapshotOfRules } from "#authz/check/snapshot";
import type { Workload } from "#authz/engine/attributes";
import type { Engine } from "#authz/engine/contract";
import type { Decision, DryRunResult } from "#authz/engine/decision";
import type { Compilation, CompileOptions, SourceFile } from "#policy-compiler/compile";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import { type CodeRow, diagnosticCodes } from "#policy-compiler/source/codes";
import type { Outcome } from "../envoy-front/carry-out.ts";
import type { Listener } from "../envoy-front/downstream.ts";
import { type Passage, passThrough } from "../envoy-front/pass-through.ts";
import type { CaseAnswer, DryRunAnswer, RequestCase, Setting, ValidationCase } from "./case.ts";
import { admissionApplies, connectionOf, listenerOf, portOf, requestOf } from "./placement.ts";
import { policyFolder, validationFolder } from "./policy-folder.ts";
import type { ReadCase } from "./read-cases.ts";

/** What the product is to a case: bytes of policies in, bytes of checks through. */
export interface ProductParts {
  readonly compile: (files: readonly SourceFile[], options: CompileOptions) => Compilation;
  readonly createEngine: (ruleSet: RuleSet, digest: string) => Engine;
  readonly createGrpcCheck: (environment: CheckEnvironment) => GrpcCheck;
}

/** Answers one case. Cases of one runner are asked one after the other, each when the one before is answered. */
export type AnswerCase = (read: ReadCase) => CaseAnswer | Promise<CaseAnswer>;

/** A setting made ready: compiled once, asked many times. Undefined: Istio or Envoy would refuse it. */
type Prepared = { readonly listener: Listener; readonly check: GrpcCheck } | undefined;

/** Settings kept ready. Cases of one setting stand together, so that a few suffice. */
const keptSettings = 16;

/** When a case does not say its time: 2026-11-26T00:00:00Z. */
const anyTimeMillis = Date.UTC(2026, 10, 26);

/** A runner of cases over the given product. */
export function createAnswerCase(product: ProductParts): AnswerCase {
  const prepared = new Map<Setting, Prepared>();
  let nowMillis = anyTimeMillis;
  let id = 0;

  function prepare(setting: Setting): Prepared {
    if (prepared.has(setting)) return prepared.get(setting);
    if (prepared.size >= keptSettings) prepared.delete(prepared.keys().next().value!);
    const made = prepareSetting(product, setting, { nextId: () => String(++id), nowMillis: () => nowMillis });
    prepared.set(setting, made);
    return made;
  }

  return (read) => {
    if (read.type === "validation") return answerValidation(product, read.case);
    const ready = prepare(read.setting);
    if (ready === undefined) return { name: read.case.name, decision: "invalid" };
    nowMillis = read.case.now === undefined ? anyTimeMillis : read.case.now * 1000;
    return answerRequest(ready, read.case, read.setting);
  };
}

function prepareSetting(
  product: ProductParts,
  setting: Setting,
  clock: Pick<CheckEnvironment, "nextId" | "nowMillis">,
): Prepared {
  const { ruleSet } = product.compile(policyFolder(setting), { istioLax: true });
  if (ruleSet === undefined) return undefined;
  const engine = product.createEngine(ruleSet, "0".repeat(64));
  const mode = admissionApplies(setting) ? engine.view(workloadOf(setting)).mtlsMode(portOf(setting)) : undefined;
  return {
    listener: listenerOf(setting, mode),
    check: product.createGrpcCheck({ snapshot: () => snapshotOfRules(engine), ...clock }),
  };
}

/** The workload as the rule set knows it, to ask which mutual TLS mode its listener has. */
function workloadOf(setting: Setting): Workload {
  const { workload } = listenerOf(setting, undefined);
  const [namespace, name] = setting.workload?.service?.split("/") ?? [];
  const kind = setting.workload?.serviceKind ?? "Service";
  return {
    namespace: workload.namespace,
    name: undefined,
    labels: new Map(Object.entries(workload.labels)),
    kind: setting.workload?.kind ?? "sidecar",
    gateway: workload.gateway,
    service: namespace === undefined || name === undefined ? undefined : { namespace, name, kind },
  };
}

/** Istio's verdict: its own rules alone, unknown fields dropped as its loader does. */
function answerValidation(product: ProductParts, line: ValidationCase): CaseAnswer {
  const { diagnostics } = product.compile(validationFolder(line.policy), { istioLax: true });
  const refused = diagnostics.some(({ code, severity }) => {
    const row: CodeRow = diagnosticCodes[code];
    return severity === "error" && row.origin === "istio";
  });
  return { name: line.name, decision: refused ? "invalid" : "valid" };
}

function answerRequest(
  ready: NonNullable<Prepared>,
  line: RequestCase,
  setting: Setting,
): CaseAnswer | Promise<CaseAnswer> {
  const connection = connectionOf(line, setting);
  const request = requestOf(line);
  const passage = passThrough(ready.listener, connection, request);
  if (passage.kind === "ended") return describe(line, passage.outcome, undefined);
  const metadata = { get: (name: string) => passage.call.metadata.get(name) ?? [] };
  const settings = listenerSettings(connection.proxyAddress !== undefined);
  const checked = ready.check(passage.call.message, metadata, settings);
  return checked instanceof Promise
    ? checked.then((outcome) => finish(line, passage, outcome))
    : finish(line, passage, checked);
}

function finish(line: RequestCase, passage: Passage & { kind: "asks" }, checked: CheckOutcome): CaseAnswer {
  const outcome = passage.finish(checked.response);
  const { decision } = checked.record;
  if (outcome.kind === "replied" && outcome.own) return { ...describe(line, outcome, checked.record), rule: null };
  if ((outcome.kind === "forwarded") !== (decision.outcome === "allow")) {
    throw new Error(`${line.name}: the response and its record disagree (${decision.outcome}: ${decision.reason})`);
  }
  return describe(line, outcome, checked.record);
}

/** The listener that our own filter snippets ask. */
function listenerSettings(proxyProtocol: boolean): ListenerSettings {
  return {
    name: "cases",
    protocol: "grpc",
    peerIdentity: "verified",
    proxyProtocol,
    workload: undefined,
    destination: undefined,
    pathPrefix: "",
    attributeHeaders: false,
    secret: undefined,
    explainToClient: false,
    deadlineMillis: 10_000,
    maxMessageBytes: 8 * 1024 * 1024,
  };
}

/** Header names of a denial that are told. */
const toldHeaders = ["www-authenticate", "location", "grpc-status", "grpc-message", "content-type"] as const;

function describe(line: RequestCase, outcome: Outcome, record: CheckRecord | undefined): CaseAnswer {
  const recorded = record === undefined ? {} : describeRecord(record.decision);
  const rule = record === undefined ? null : ruleOf(record);
  const name = line.name;
  if (line.request === undefined) {
    if (outcome.kind === "forwarded") return { name, decision: "allow", ...recorded };
    return { name, decision: "deny", rule, ...recorded };
  }
  switch (outcome.kind) {
    case "closed":
      return { name, decision: "deny", status: null, body: null, rule };
    case "forwarded": {
      const upstream = line.request.method === "HEAD" ? {} : { upstream: outcome.upstream };
      return { name, decision: "allow", status: 200, body: null, rule, ...upstream, ...recorded };
    }
    case "replied": {
      const { status, body, headers } = outcome.reply;
      const told = toldHeaders.filter((header) => headers.has(header)).map((header) => [header, headers.get(header)!]);
      return {
        name,
        decision: "deny",
        status,
        ...(body === undefined ? {} : { body }),
        rule,
        headers: Object.fromEntries(told),
        ...recorded,
      };
    }
  }
}

function ruleOf({ decision, custom }: CheckRecord): string | null {
  if (decision.rule !== undefined) return decision.rule.key;
  if (decision.reason === "policy/not-allowed") return "none";
  return custom?.key ?? null;
}

function describeRecord(decision: Decision): Pick<CaseAnswer, "audit" | "dryRun"> {
  const { allow, deny } = decision.dryRun;
  const dryRun = {
    ...(allow === undefined ? {} : { allow: describeDryRun(allow) }),
    ...(deny === undefined ? {} : { deny: describeDryRun(deny) }),
  };
  return {
    ...(decision.audit === undefined ? {} : { audit: decision.audit.matched }),
    ...(allow === undefined && deny === undefined ? {} : { dryRun }),
  };
}

function describeDryRun({ result, rule }: DryRunResult): DryRunAnswer {
  return { result, rule: rule?.key ?? null };
}
