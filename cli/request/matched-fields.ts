import type { RequestAttributes } from "#authz/engine/attributes";
import { compileField } from "#authz/engine/field";
import { and, TRUE, type Truth } from "#authz/engine/kleene";
import { negated } from "#authz/engine/nearest";
import { seenValue } from "#authz/engine/seen";
import type { Entry, FieldTest, Rule } from "#policy-compiler/ruleset/model";

/** One list of a rule that decided, and the value that it was compared with. */
export interface MatchedField {
  readonly side: "from" | "to" | "when";
  /** The author's field: `paths`, `notHosts`, `request.headers[x-t]`. */
  readonly field: string;
  /** What the author wrote. */
  readonly wanted: readonly string[];
  /** The value in the request, for people; `undefined`: absent, or not told. */
  readonly seen: string | undefined;
  /** `unknown` counts as a match in a DENY rule. */
  readonly result: "true" | "unknown";
}

/** Every list of a rule that matched a request. Of the entries of a side the first that holds speaks for it. Not for hot paths. */
export function matchedFields(rule: Rule, request: RequestAttributes): readonly MatchedField[] {
  const body = request.http === undefined ? rule.tcp : rule.http;
  if (body === undefined) return [];
  const first = (entries: readonly Entry[]): Entry => {
    const ranked = entries.map((entry) => ({ entry, truth: truthOf(entry, request) }));
    return ranked.toSorted((a, b) => b.truth - a.truth)[0]?.entry ?? [];
  };
  return [
    ...listsOf("from", first(body.from), request),
    ...listsOf("to", first(body.to), request),
    ...listsOf("when", body.when, request),
  ];
}

function truthOf(fields: Entry, request: RequestAttributes): Truth {
  return fields.map((field) => compileField(field).test(request)).reduce(and, TRUE);
}

function listsOf(
  side: MatchedField["side"],
  fields: readonly FieldTest[],
  request: RequestAttributes,
): readonly MatchedField[] {
  return fields.flatMap((test) => {
    const { field, texts, notTexts, attribute } = test;
    const { values, notValues } = compileField(test);
    const lists = [
      { field, wanted: texts, result: values?.(request) },
      { field: negated(side, field), wanted: notTexts, result: notValues?.(request) },
    ];
    return lists.flatMap(({ result, ...list }): MatchedField[] =>
      result === undefined
        ? []
        : [{ side, ...list, seen: seenValue(attribute, request), result: result === TRUE ? "true" : "unknown" }],
    );
  });
}
