import { quote } from "#identity/encoding/quote";
import { twinOf } from "#policy-compiler/document/field-names";
import { parsePathTemplate } from "#policy-compiler/ruleset/patterns/parse-path-template";
import type { Located, Span } from "#policy-compiler/source/diagnostic";
import { judgedKey } from "./condition-key-rules.ts";
import { found } from "./quote.ts";
import type { AnyRow, Fault, Fields } from "./rule.ts";
import { widenedUnwarned } from "./tcp-widening.ts";

/** What Istio takes without a word and an author seldom means, and what Istio takes and Envoy does not. */
export const lintRows: readonly AnyRow[] = [
  {
    code: "policy/template-aborts-envoy",
    about: "list",
    *find({ field, values }) {
      if (field !== "paths") return;
      for (const { value, span } of values) {
        const parsed = parsePathTemplate(value);
        if (parsed.kind !== "refused" || parsed.fault !== "aborts-envoy") continue;
        const mended = `/${value.replace(/^\/+/, "").replace(/\/+$/, "/")}`;
        yield {
          span,
          message: `expected a path template that begins with one slash and ends with one at most, found ${quote(value)}, over which Envoy aborts`,
          help: `write ${quote(mended)}`,
        };
      }
    },
  },
  {
    code: "policy/condition-key-refused-by-envoy",
    about: "condition",
    *find({ condition }) {
      const key = judgedKey(condition);
      if (key?.parsed.kind !== "malformed" || key.parsed.fault !== "refused-by-envoy") return;
      const what =
        key.parsed.of === "request.headers"
          ? "a header name without control characters"
          : "claim names that are not empty";
      yield {
        span: key.span,
        message: `expected ${what}, found ${quote(key.value)}, for which Envoy refuses the listener`,
      };
    },
  },
  {
    code: "lint/condition-key-not-compiled",
    about: "condition",
    *find({ policy, condition }) {
      const key = judgedKey(condition);
      if (key?.parsed.kind !== "malformed" || key.parsed.fault !== "not-compiled") return;
      const effect =
        policy.action.value === "ALLOW"
          ? "the rule never matches"
          : "the condition is dropped and the rule matches more";
      yield {
        span: key.span,
        message: `expected a bracket right behind ${quote(key.parsed.of)}, found ${quote(key.value)}, so that ${effect}`,
        help: `write \`${key.parsed.of}[NAME]\``,
      };
    },
  },
  {
    code: "lint/separate-items",
    about: "rule",
    *find({ rule }) {
      yield* separateItems(
        "from",
        "source",
        rule.from.map(({ span, source }) => ({ span, fields: source?.fields })),
      );
      yield* separateItems(
        "to",
        "operation",
        rule.to.map(({ span, operation }) => ({ span, fields: operation?.fields })),
      );
    },
  },
  {
    code: "lint/spiffe-scheme",
    about: "list",
    *find({ field, written, values }) {
      if (field === "principals") yield* spiffeSchemes(written, values);
    },
  },
  {
    code: "lint/spiffe-scheme",
    about: "condition",
    *find({ condition: { key, values, notValues } }) {
      if (key?.value === "source.principal") yield* spiffeSchemes(key.value, [...values, ...notValues]);
    },
  },
  {
    code: "lint/host-without-port",
    about: "list",
    *find({ field, written, values }) {
      if (field !== "hosts") return;
      for (const { value, span } of values) {
        if (!matchesOneFormOnly(value, values)) continue;
        const suffix = value.startsWith("*");
        yield {
          span,
          message: `expected ${quote(value)} with its variant with a port in \`${written}\`, found it alone, which compares equal to no host that carries a port`,
          help: suffix
            ? `add the ports that clients use, as in ${quote(`${value}:8080`)}; a second star would be literal`
            : `add ${quote(`${value}:*`)}`,
        };
      }
    },
  },
  {
    code: "lint/literal-star",
    about: "list",
    *find({ field, written, values }) {
      if (field !== "hosts" && field !== "methods" && field !== "paths" && field !== "principals") return;
      for (const { value, span } of values) {
        if (field === "paths" && parsePathTemplate(value).kind !== "pattern") continue;
        if (!hasLiteralStar(value)) continue;
        yield {
          span,
          message: `expected one star, first or last, in \`${written}\`, found ${quote(value)}, of which another star is literal`,
          ...literalStarHelp[field],
        };
      }
    },
  },
  {
    code: "lint/deny-widens-on-tcp",
    about: "rule",
    *find(subject) {
      const span = widenedUnwarned(subject);
      if (span === undefined) return;
      yield {
        span,
        message:
          "expected ports beside an HTTP attribute in a DENY rule, found none, so that on TCP ports the attribute is dropped and more is denied",
        help: "add `ports` to each `operation`, or a `to` with `ports`",
      };
    },
  },
  {
    code: "lint/upper-case-sni",
    about: "condition",
    *find({ condition: { key, values, notValues } }) {
      if (key?.value !== "connection.sni") return;
      for (const { value, span } of [...values, ...notValues]) {
        const lower = value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
        if (lower === value) continue;
        yield {
          span,
          message: `expected a server name in lower case, ${found(value)}, which never matches`,
          help: `write ${quote(lower)}`,
        };
      }
    },
  },
  {
    code: "lint/lower-case-method",
    about: "list",
    *find({ field, values }) {
      if (field === "methods") yield* lowerCaseMethods(values);
    },
  },
  {
    code: "lint/lower-case-method",
    about: "condition",
    *find({ condition: { key, values, notValues } }) {
      if (key?.value.toLowerCase() === "request.headers[:method]") yield* lowerCaseMethods([...values, ...notValues]);
    },
  },
];

const literalStarHelp = {
  hosts: { help: "list the hosts, or the ports, one by one" },
  methods: { help: "list the methods one by one" },
  paths: { help: "write a template: `{*}` is one segment, `{**}` is any number of them" },
  principals: { help: "use `namespaces` or `serviceAccounts`, or list the identities one by one" },
} as const;

interface Item {
  readonly span: Span;
  readonly fields: Fields["fields"] | undefined;
}

/** Several items of one field each, all fields different: the dash too many that makes an OR of an AND. */
function* separateItems(list: string, item: string, items: readonly Item[]): Iterable<Fault> {
  const second = items[1];
  if (second === undefined) return;
  const names: string[] = [];
  const plain: string[] = [];
  for (const { fields } of items) {
    const [only, ...others] = writtenLists(fields ?? {});
    if (only === undefined || others.length > 0 || names.includes(only.written)) return;
    names.push(only.written);
    plain.push(only.field);
  }
  // Istio refuses these two in one source, so that writing them apart is no slip.
  if (plain.includes("serviceAccounts") && (plain.includes("principals") || plain.includes("namespaces"))) return;
  const joined = names.map((name) => `\`${name}\``).join(" and ");
  yield {
    span: second.span,
    message: `expected one item of \`${list}\` with ${joined}, found one item for each, any of which is enough`,
    help: `to demand all of them write one \`- ${item}: {${names.map((name) => `${name}: […]`).join(", ")}}\``,
  };
}

/** The lists of an item that have values, each with the name that the author wrote and the field it belongs to. */
function writtenLists(fields: Fields["fields"]): readonly { written: string; field: string }[] {
  return Object.entries(fields).flatMap(([name, { values, notValues }]) => {
    const field = name as keyof Fields["fields"];
    return [
      ...(values.length > 0 ? [{ written: name, field }] : []),
      ...(notValues.length > 0 ? [{ written: twinOf(field), field }] : []),
    ];
  });
}

function* spiffeSchemes(field: string, values: readonly Located<string>[]): Iterable<Fault> {
  for (const { value, span } of values) {
    const scheme = /^\*?spiffe:\/\//i.exec(value)?.[0];
    if (scheme === undefined) continue;
    yield {
      span,
      message: `expected an identity without its scheme in \`${field}\`, found ${quote(value)}, which never matches`,
      help: `write ${quote(`${scheme.startsWith("*") ? "*" : ""}${value.slice(scheme.length)}`)}`,
    };
  }
}

/** Is `value` a host that its list matches without a port only? */
function matchesOneFormOnly(value: string, all: readonly Located<string>[]): boolean {
  if (value === "" || value === "*" || hasPort(value)) return false;
  // A prefix pattern covers what comes behind it, ports included; `*x*` is a suffix with a literal star.
  if (value.endsWith("*") && !value.startsWith("*")) return false;
  const withColon = `${value}:`.toLowerCase();
  return !all.some(({ value: other }) => {
    const folded = other.toLowerCase();
    if (folded === "*" || (folded.startsWith(withColon) && hasPort(folded))) return true;
    return folded.endsWith("*") && !folded.startsWith("*") && withColon.startsWith(folded.slice(0, -1));
  });
}

function hasPort(host: string): boolean {
  return /:(?:[0-9]+|[0-9]*\*)$/.test(host) && (!host.includes("[") || host.includes("]:"));
}

/** A star that stands neither alone nor where the four-way pattern looks for it. */
function hasLiteralStar(value: string): boolean {
  if (value === "*") return false;
  const rest = value.startsWith("*") ? value.slice(1) : value.endsWith("*") ? value.slice(0, -1) : value;
  return rest.includes("*");
}

function* lowerCaseMethods(values: readonly Located<string>[]): Iterable<Fault> {
  for (const { value, span } of values) {
    if (!/[a-z]/.test(value)) continue;
    yield {
      span,
      message: `expected a method in capital letters, ${found(value)}, which matches no method of HTTP`,
      help: `write ${quote(value.toUpperCase())}`,
    };
  }
}
