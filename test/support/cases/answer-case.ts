import type { CheckOutcome } from "#authz/check/contract";
import type { Workload } from "#authz/engine/attributes";
import { compile } from "#policy-compiler/compile";
import { type CodeRow, diagnosticCodes } from "#policy-compiler/source/codes";
import { listenerOf as listenerOfTests } from "../check/check-message.ts";
import type { Listener } from "../envoy-front/downstream.ts";
import { type Passage, passThrough } from "../envoy-front/pass-through.ts";
import type { CaseAnswer, RequestCase, Setting, ValidationCase } from "./case.ts";
import { createCaseProviders } from "./case-providers.ts";
import { describeOutcome } from "./describe-outcome.ts";
import { admissionApplies, connectionOf, listenerOf, portOf, requestOf } from "./placement.ts";
import { meshProviders, policyFolder, validationFolder } from "./policy-folder.ts";
import { type ReadyProduct, startProduct } from "./product.ts";
import type { ReadCase } from "./read-cases.ts";

/** Answers cases, one after the other, each when the one before is answered. */
export interface CaseRunner {
  answer(read: ReadCase): Promise<CaseAnswer>;
  /** Ends every server and connection. */
  stop(): Promise<void>;
}

/** A setting made ready: compiled once, asked many times. Undefined: Istio or Envoy would refuse it. */
type Prepared = { readonly listener: Listener; readonly product: ReadyProduct } | undefined;

/** Settings kept ready. Cases of one setting stand together, so that a few suffice. */
const keptSettings = 16;

/** When a case does not say its time: 2026-11-26T00:00:00Z. */
const anyTimeMillis = Date.UTC(2026, 10, 26);

/** A runner of cases over the real product, with real servers for the extension providers of the cases. */
export function createCaseRunner(): CaseRunner {
  const prepared = new Map<Setting, Prepared>();
  const providers = createCaseProviders();
  let nowMillis = anyTimeMillis;
  let id = 0;

  async function prepare(setting: Setting): Promise<Prepared> {
    if (prepared.has(setting)) return prepared.get(setting);
    if (prepared.size >= keptSettings) {
      const oldest = prepared.keys().next().value!;
      await prepared.get(oldest)?.product.stop();
      prepared.delete(oldest);
    }
    const made = await prepareSetting(setting);
    prepared.set(setting, made);
    return made;
  }

  async function prepareSetting(setting: Setting): Promise<Prepared> {
    const ports = await providers.portsOf(meshProviders(setting));
    const documents = setting.jwks ?? {};
    const product = await startProduct(policyFolder(setting, ports), {
      nextId: () => String(++id),
      nowMillis: () => nowMillis,
      fetchDocument: async (uri) => {
        const document = Object.hasOwn(documents, uri) ? documents[uri] : null;
        if (document === null) return { ok: false, fault: { code: "fetch/failed", message: "the case says so" } };
        return { ok: true, text: typeof document === "string" ? document : JSON.stringify(document) };
      },
    });
    if (product === undefined) return undefined;
    // A document without a usable key: istiod inlines it, and Envoy refuses the listener. Only an empty one it takes.
    if (product.keysUnusable && !Object.values(documents).includes("")) {
      await product.stop();
      return undefined;
    }
    const { engine } = product;
    const mode = admissionApplies(setting) ? engine.view(workloadOf(setting)).mtlsMode(portOf(setting)) : undefined;
    return { listener: listenerOf(setting, mode), product };
  }

  return {
    async answer(read) {
      if (read.type === "validation") return answerValidation(read.case);
      nowMillis = read.case.now === undefined ? anyTimeMillis : read.case.now * 1000;
      const ready = await prepare(read.setting);
      if (ready === undefined) return { name: read.case.name, decision: "invalid" };
      providers.expect(read.case.providers ?? {});
      const answer = await answerRequest(ready, read.case, read.setting);
      return read.case.providers === undefined ? answer : { ...answer, calls: providers.calls() };
    },
    async stop() {
      for (const made of prepared.values()) await made?.product.stop();
      await providers.stop();
    },
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
function answerValidation(line: ValidationCase): CaseAnswer {
  const { diagnostics } = compile(validationFolder(line.policy), { istioLax: true });
  const refused = diagnostics.some(({ code, severity }) => {
    const row: CodeRow = diagnosticCodes[code];
    return severity === "error" && row.origin === "istio";
  });
  return { name: line.name, decision: refused ? "invalid" : "valid" };
}

async function answerRequest(ready: NonNullable<Prepared>, line: RequestCase, setting: Setting): Promise<CaseAnswer> {
  const connection = connectionOf(line, setting);
  const request = requestOf(line);
  const passage = passThrough(ready.listener, connection, request);
  if (passage.kind === "ended") return describeOutcome(line, passage.outcome, undefined);
  const metadata = { get: (name: string) => passage.call.metadata.get(name) ?? [] };
  const settings = listenerOfTests({
    workload: undefined,
    proxyProtocol: connection.proxyAddress !== undefined,
    deadlineMillis: 10_000,
    maxMessageBytes: 8 * 1024 * 1024,
  });
  return finish(line, passage, await ready.product.check(passage.call.message, metadata, settings));
}

function finish(line: RequestCase, passage: Passage & { kind: "asks" }, checked: CheckOutcome): CaseAnswer {
  const outcome = passage.finish(checked.response);
  const { decision } = checked.record;
  if (outcome.kind === "replied" && outcome.own)
    return { ...describeOutcome(line, outcome, checked.record), rule: null };
  if ((outcome.kind === "forwarded") !== (decision.outcome === "allow")) {
    throw new Error(`${line.name}: the response and its record disagree (${decision.outcome}: ${decision.reason})`);
  }
  return describeOutcome(line, outcome, checked.record);
}
