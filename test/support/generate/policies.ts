import type { Attachment, Entry, FieldTest, Policy, RuleBody, Stage, TextTest } from "#policy-compiler/ruleset/model";
import type { PolicyDraft } from "./rule-sets.ts";

const nowhere: Attachment = { kind: "selector", labels: [] };

/** A rule body that asks for a path. */
export function onPath(text: string, op: "exact" | "prefix" | "suffix" = "exact"): RuleBody {
  return body([[pathField({ op, text })]]);
}

/** A field on the path, as `paths` writes it. */
export function pathField(test: TextTest, not?: TextTest): FieldTest {
  return {
    field: "paths",
    attribute: { kind: "path" },
    values: [{ kind: "text", test }],
    notValues: not === undefined ? [] : [{ kind: "text", test: not }],
    texts: ["text" in test ? test.text : "*"],
    notTexts: not === undefined ? [] : ["text" in not ? not.text : "*"],
  };
}

export function body(to: readonly Entry[] = [], from: readonly Entry[] = [], when: Entry = []): RuleBody {
  return { to, from, when };
}

/** A policy of a stage with rules that are the same for HTTP and TCP. In namespace `foo` for every workload, unless it says more. */
export function policy(
  name: string,
  stage: Stage,
  bodies: readonly RuleBody[],
  more: Partial<Policy> = {},
): PolicyDraft {
  return {
    policy: {
      namespace: "foo",
      name,
      stage,
      provider: undefined,
      attachment: nowhere,
      origin: { file: `${name}.yaml`, line: 1, column: 1 },
      ...more,
    },
    bodies: bodies.map((one) => ({ http: one, tcp: one })),
  };
}
