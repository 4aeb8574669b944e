import {
  type Attachment,
  type Policy,
  type Rule,
  type RuleBody,
  type RuleExtension,
  type Stage,
  stages,
} from "#policy-compiler/ruleset/model";
import { Malformed } from "./byte-reader.ts";
import { extensionShape, originShape } from "./extension-shapes.ts";
import {
  boolean,
  type Input,
  interned,
  list,
  type Output,
  optional,
  pair,
  record,
  type Shape,
  text,
  uint,
  union,
  word,
} from "./shape.ts";

export const labelsShape = list(pair(text, text));

export const attachmentShape: Shape<Attachment> = union<Attachment, "kind">("kind", {
  selector: record({ labels: labelsShape }),
  targetRefs: record({ refs: list(record({ group: text, kind: text, name: text })) }),
});

const istioPolicyShape = record<Omit<Required<Policy>, "family">>({
  namespace: text,
  name: text,
  stage: word<Stage>(stages),
  provider: optional(text),
  attachment: attachmentShape,
  origin: originShape,
});

/** What only policies and rules of our own group have is no member of the others. */
export const policyShape: Shape<Policy> = {
  write(out, policy) {
    boolean.write(out, policy.family === "garita");
    istioPolicyShape.write(out, policy as Required<Policy>);
  },
  read(input) {
    const isOwn = boolean.read(input);
    const policy = istioPolicyShape.read(input);
    return isOwn ? { family: "garita", ...policy } : policy;
  },
};

const fields = list(interned("fields"));
const entries = list(fields);

const bodyShape: Shape<RuleBody> = {
  write(out, body) {
    entries.write(out, body.to);
    entries.write(out, body.from);
    fields.write(out, body.when);
  },
  read: (input) => ({ to: entries.read(input), from: entries.read(input), when: fields.read(input) }),
};

const body = optional(bodyShape);
const extension = optional(extensionShape);

/** PERF: written out for the same reason as the value tests. Most rules are one object for HTTP and TCP. */
export function ruleShape(policies: readonly Policy[]): Shape<Rule> {
  return { write: (out, rule) => writeRule(out, rule, policies), read: (input) => readRule(input, policies) };
}

const tcpForms = { same: 0, own: 1 };

function writeRule(out: Output, rule: Rule, policies: readonly Policy[]): void {
  uint.write(out, rule.policy);
  uint.write(out, rule.ordinal);
  originShape.write(out, rule.origin);
  body.write(out, rule.http);
  const same = rule.tcp === rule.http;
  uint.write(out, same ? tcpForms.same : tcpForms.own);
  if (!same) body.write(out, rule.tcp);
  const fault = extensionFault(policies[rule.policy], rule.extension);
  if (fault !== undefined) throw new Error(`a rule set cannot be written: ${fault}`);
  if (policies[rule.policy]?.family === "garita") extension.write(out, rule.extension);
}

function readRule(input: Input, policies: readonly Policy[]): Rule {
  const policy = input.bytes.below(policies.length, "a policy");
  const ordinal = uint.read(input);
  const origin = originShape.read(input);
  const http = body.read(input);
  const same = input.bytes.below(2, "a form of a rule") === tcpForms.same;
  const rule = { policy, ordinal, origin, http, tcp: same ? http : body.read(input) };
  // Rules of other policies have no extension, and no byte that says so.
  if (policies[policy]?.family !== "garita") return rule;
  const said = extension.read(input);
  const fault = extensionFault(policies[policy], said);
  if (fault !== undefined) throw new Malformed(fault);
  return said === undefined ? rule : { ...rule, extension: said };
}

/** Answers belong to the actions that can give them. */
function extensionFault(policy: Policy | undefined, said: RuleExtension | undefined): string | undefined {
  if (said === undefined || policy === undefined) return undefined;
  if (policy.family !== "garita") return "a rule of Istio has an extension";
  const { stage } = policy;
  if (said.denyResponse !== undefined && stage !== "deny" && stage !== "dryRunDeny") {
    return "a denial has an answer where nothing is denied";
  }
  if (said.allowResponse !== undefined && stage !== "allow" && stage !== "dryRunAllow") {
    return "a permission has an answer where nothing is allowed";
  }
  return undefined;
}
