import { quote } from "#identity/encoding/quote";
import type { ConditionEntry } from "#policy-compiler/document/model";
import { suggest } from "#policy-compiler/document/suggest";
import {
  type ConditionKey,
  knownConditionKeys,
  parseConditionKey,
} from "#policy-compiler/document/values/condition-key";
import type { Located } from "#policy-compiler/source/diagnostic";
import type { AnyRow } from "./rule.ts";

/** Keys that authors look for, and where Istio has the like of them. */
const insteadOf: ReadonlyMap<string, string> = new Map([
  ["request.method", "use `methods` in an `operation`"],
  ["request.path", "use `paths` in an `operation`"],
  ["request.url_path", "use `paths` in an `operation`"],
  ["request.host", "use `hosts` in an `operation`"],
  ["request.header", "write `request.headers[NAME]`"],
  ["request.auth.claim", "write `request.auth.claims[NAME]`"],
  ["source.user", "use `source.principal`"],
  ["source.labels", "use `source.serviceAccount` or `source.namespace`"],
]);

/** Rows about a condition's key. Its values are judged by `value-rules.ts`. */
export const conditionKeyRows: readonly AnyRow[] = [
  {
    code: "policy/condition-key-shape",
    about: "condition",
    *find({ condition }) {
      const key = judgedKey(condition);
      if (key?.parsed.kind !== "malformed" || key.parsed.fault !== "shape") return;
      yield {
        span: key.span,
        message: `expected a key of the form \`a[b]\`, found ${quote(key.value)}`,
        help: `write \`${key.parsed.of}${key.parsed.of.endsWith(".") ? "NAMESPACE" : ""}[NAME]\``,
      };
    },
  },
  {
    code: "policy/condition-key-retired",
    about: "condition",
    *find({ condition }) {
      const key = judgedKey(condition);
      if (key?.parsed.kind !== "retired") return;
      yield {
        span: key.span,
        message: `expected a condition key that Istio has, found ${quote(key.value)}, which it no longer has`,
        help: `use ${key.parsed.instead}`,
      };
    },
  },
  {
    code: "policy/condition-key-unknown",
    about: "condition",
    *find({ condition }) {
      const key = judgedKey(condition);
      if (key?.parsed.kind !== "unknown") return;
      const instead = insteadOf.get(key.value.replace(/\[.*$/s, "")) ?? nearKey(key.value);
      yield {
        span: key.span,
        message: `expected a condition key that Istio has, found ${quote(key.value)}`,
        ...(instead !== undefined && { help: instead }),
      };
    },
  },
];

/** A key that differs by little from what the author wrote before the bracket. */
function nearKey(key: string): string | undefined {
  const open = key.indexOf("[");
  const near = suggest(open === -1 ? key : key.slice(0, open + 1), knownConditionKeys);
  if (near === undefined) return undefined;
  return `did you mean \`${near.endsWith("[") ? `${near}NAME]` : near}\`?`;
}

/** The key of a condition, read; undefined where Istio does not look at it, because it is missing or has no values. */
export function judgedKey({
  key,
  values,
  notValues,
}: ConditionEntry): (Located<string> & { readonly parsed: ConditionKey }) | undefined {
  if (key === undefined || key.value === "" || values.length + notValues.length === 0) return undefined;
  return { ...key, parsed: parseConditionKey(key.value) };
}
