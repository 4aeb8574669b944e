import type { Engine } from "#authz/engine/contract";
import type { Decision, RuleRef } from "#authz/engine/decision";
import { makeAnswer, rulesNames } from "./answer.ts";
import type { Snapshot } from "./contract.ts";
import { accessDenied } from "./refusal.ts";
import { noHeaders, type Verdict } from "./verdict.ts";
import { answerFault } from "./wire/answer-fault.ts";
import { encodeCheckResponse } from "./wire/encode-check-response.ts";

/**
 * PERF: most answers of a rule set are equal but for their id: the same rule, the same reason, no header set and the same ones taken away (a token's).
 * Such an answer is encoded once and then copied with another id in its place (`bench/grpc.ts`; `makeAnswer` with `encodeCheckResponse` is the plain version, which the tests compare).
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
const KEPT_NAMES = 64;

/** By what decided, and by the names that are taken away. */
type Templates = Map<RuleRef | string, Map<string, Template>>;

/** INVARIANT: templates name the commit that they were made under; the same rules may come into force with another. */
const perEngine = new WeakMap<Engine, { readonly commit: string | undefined; readonly templates: Templates }>();

/**
 * The answer to a verdict that sets and explains nothing, and takes away the request headers of these names; undefined when it has to be encoded by
 * itself.
 */
export function plainAnswer(
  verdict: Verdict,
  id: string,
  snapshot: Snapshot,
  removed: readonly string[],
): Uint8Array | undefined {
  if (id.length !== PLACEHOLDER.length || verdict.answeredByRule) return undefined;
  const { decision, status, body } = verdict;
  if (decision.outcome === "deny" && (status !== accessDenied.status || body !== accessDenied.body)) return undefined;
  const templates = templatesOf(snapshot);
  const key = decision.rule ?? decision.reason;
  const names = removed.length === 0 ? "" : removed.join(",");
  let template = templates.get(key)?.get(names);
  if (template === undefined || template.outcome !== decision.outcome || template.reason !== decision.reason) {
    template = makeTemplate(verdict, snapshot, removed);
    if (template === undefined) return undefined;
    keep(templates, key, names, template);
  }
  const bytes = Buffer.allocUnsafe(template.bytes.length);
  template.bytes.copy(bytes);
  bytes.write(id, template.idAt, "latin1");
  return bytes;
}

function templatesOf({ engine, commit }: Snapshot): Templates {
  const known = perEngine.get(engine);
  if (known !== undefined && known.commit === commit) return known.templates;
  const templates: Templates = new Map();
  perEngine.set(engine, { commit, templates });
  return templates;
}

function keep(templates: Templates, key: RuleRef | string, names: string, template: Template): void {
  if (templates.size >= KEPT) templates.clear();
  let byNames = templates.get(key);
  // The names are those of rules, so that one thing decided goes with few of them.
  if (byNames === undefined || byNames.size >= KEPT_NAMES) {
    byNames = new Map();
    templates.set(key, byNames);
  }
  byNames.set(names, template);
}

/** Undefined: the answer cannot be written as it stands. */
function makeTemplate(verdict: Verdict, snapshot: Snapshot, removed: readonly string[]): Template | undefined {
  const plain = makeAnswer(
    { ...verdict, newTarget: undefined, edited: undefined, clientHeaders: noHeaders },
    PLACEHOLDER,
    rulesNames(snapshot),
    undefined,
    {
      explainToClient: false,
    },
  );
  const answer = { ...plain, removeHeaders: removed };
  if (answerFault(answer) !== undefined) return undefined;
  const encoded = encodeCheckResponse(answer);
  const bytes = Buffer.from(encoded);
  const { outcome, reason } = verdict.decision;
  return { outcome, reason, bytes, idAt: bytes.indexOf(PLACEHOLDER, 0, "latin1") };
}
