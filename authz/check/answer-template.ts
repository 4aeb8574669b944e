import type { Engine } from "#authz/engine/contract";
import type { Decision, RuleRef } from "#authz/engine/decision";
import { makeAnswer } from "./answer.ts";
import { accessDenied } from "./refusal.ts";
import { noHeaders, type Verdict } from "./verdict.ts";
import { encodeCheckResponse } from "./wire/encode-check-response.ts";

/**
 * PERF: most answers of a rule set are equal but for their id: the same rule, the same reason, no header edited. Such an answer is encoded once and then copied
 * with another id in its place (`bench/grpc.ts`; `makeAnswer` with `encodeCheckResponse` is the plain version, which the tests compare).
 */
interface Template {
  /** INVARIANT: what the bytes say. Looked at before every use: an allow never stands in for a denial. */
  readonly outcome: Decision["outcome"];
  readonly reason: Decision["reason"];
  readonly bytes: Buffer;
  readonly idAt: number;
}

/** Stands where the id will; an id of another length has no template. Neither keys of rules nor digests hold such characters. */
const PLACEHOLDER = "@".repeat(26);

/** Beyond so many the templates of a rule set are made anew, so that rules that nobody asks about any more go. */
const KEPT = 4096;

const perEngine = new WeakMap<Engine, Map<RuleRef | string, Template>>();

/** The answer to a verdict that edits and explains nothing; undefined when it has to be encoded by itself. */
export function plainAnswer(verdict: Verdict, id: string, engine: Engine): Uint8Array | undefined {
  if (id.length !== PLACEHOLDER.length || verdict.answeredByRule) return undefined;
  const { decision, status, body } = verdict;
  if (decision.outcome === "deny" && (status !== accessDenied.status || body !== accessDenied.body)) return undefined;
  let templates = perEngine.get(engine);
  if (templates === undefined) {
    templates = new Map();
    perEngine.set(engine, templates);
  }
  const key = decision.rule ?? decision.reason;
  let template = templates.get(key);
  if (template === undefined || template.outcome !== decision.outcome || template.reason !== decision.reason) {
    template = makeTemplate(verdict, engine.digest);
    if (templates.size >= KEPT) templates.clear();
    templates.set(key, template);
  }
  const bytes = Buffer.allocUnsafe(template.bytes.length);
  template.bytes.copy(bytes);
  bytes.write(id, template.idAt, "latin1");
  return bytes;
}

function makeTemplate(verdict: Verdict, digest: string): Template {
  const answer = makeAnswer(
    { ...verdict, newTarget: undefined, edited: undefined, clientHeaders: noHeaders },
    PLACEHOLDER,
    digest,
    undefined,
    {
      explainToClient: false,
    },
  );
  const encoded = encodeCheckResponse(answer);
  const bytes = Buffer.from(encoded);
  const { outcome, reason } = verdict.decision;
  return { outcome, reason, bytes, idAt: bytes.indexOf(PLACEHOLDER, 0, "latin1") };
}
