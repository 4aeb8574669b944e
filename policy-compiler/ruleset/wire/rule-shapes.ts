import {
  type Attachment,
  type Origin,
  type Policy,
  type Rule,
  type RuleBody,
  type Stage,
  stages,
} from "#policy-compiler/ruleset/model";
import {
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

export const originShape: Shape<Origin> = {
  write(out, { file, line, column }) {
    text.write(out, file);
    uint.write(out, line);
    uint.write(out, column);
  },
  read: (input) => ({ file: text.read(input), line: uint.read(input), column: uint.read(input) }),
};

export const labelsShape = list(pair(text, text));

export const attachmentShape: Shape<Attachment> = union<Attachment, "kind">("kind", {
  selector: record({ labels: labelsShape }),
  targetRefs: record({ refs: list(record({ group: text, kind: text, name: text })) }),
});

export const policyShape: Shape<Policy> = record<Required<Policy>>({
  family: optional(word<"garita">(["garita"])),
  namespace: text,
  name: text,
  stage: word<Stage>(stages),
  provider: optional(text),
  attachment: attachmentShape,
  origin: originShape,
});

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

/** PERF: written out for the same reason as the value tests. Most rules are one object for HTTP and TCP. */
export function ruleShape(policies: number): Shape<Rule> {
  return { write: writeRule, read: (input) => readRule(input, policies) };
}

const tcpForms = { same: 0, own: 1 };

function writeRule(out: Output, rule: Rule): void {
  uint.write(out, rule.policy);
  uint.write(out, rule.ordinal);
  originShape.write(out, rule.origin);
  body.write(out, rule.http);
  const same = rule.tcp === rule.http;
  uint.write(out, same ? tcpForms.same : tcpForms.own);
  if (!same) body.write(out, rule.tcp);
}

function readRule(input: Input, policies: number): Rule {
  const policy = input.bytes.below(policies, "a policy");
  const ordinal = uint.read(input);
  const origin = originShape.read(input);
  const http = body.read(input);
  const same = input.bytes.below(2, "a form of a rule") === tcpForms.same;
  return { policy, ordinal, origin, http, tcp: same ? http : body.read(input) };
}
