import { quote } from "#identity/encoding/quote";
import type { ConditionSyntax } from "#policy-compiler/document/values/condition-key";
import { parsePort } from "#policy-compiler/document/values/port";
import {
  type ServiceAccountFault,
  serviceAccountFault,
  serviceAccountMaxBytes,
  serviceAccountMaxValues,
} from "#policy-compiler/document/values/service-account";
import { parseTrustDomainPattern, type TrustDomainFault } from "#policy-compiler/document/values/trust-domain";
import { type CidrFault, parseCidr } from "#policy-compiler/ruleset/patterns/cidr";
import { parsePathTemplate } from "#policy-compiler/ruleset/patterns/parse-path-template";
import type { Located } from "#policy-compiler/source/diagnostic";
import { judgedKey } from "./condition-key-rules.ts";
import { found } from "./quote.ts";
import type { AnyRow, Fault, ListSubject, Subjects } from "./rule.ts";

/** A list of values, wherever it stands: in a source, an operation or a condition. `name` is how the author knows it. */
interface Values {
  readonly name: string;
  readonly syntax: ValueSyntax;
  readonly values: readonly Located<string>[];
}

type ValueSyntax = ConditionSyntax | "path" | "trustDomainField";

const fieldSyntax: Readonly<Record<ListSubject["field"], ValueSyntax>> = {
  principals: "principal",
  requestPrincipals: "requestPrincipal",
  namespaces: "namespace",
  serviceAccounts: "serviceAccount",
  ipBlocks: "cidr",
  remoteIpBlocks: "cidr",
  trustDomains: "trustDomainField",
  hosts: "text",
  ports: "port",
  methods: "text",
  paths: "path",
};

/** Each rule about values makes two rows: one for the fields of sources and operations, one for conditions. */
function forValues(code: AnyRow["code"], find: (values: Values) => Iterable<Fault>): readonly AnyRow[] {
  return [
    {
      code,
      about: "list",
      *find({ field, written, values }) {
        yield* find({ name: written, syntax: fieldSyntax[field], values });
      },
    },
    {
      code,
      about: "condition",
      *find(subject) {
        for (const values of valuesOfCondition(subject)) yield* find(values);
      },
    },
  ];
}

/** Of a condition whose key is unknown or malformed the values are text. */
function* valuesOfCondition({ condition }: Subjects["condition"]): Iterable<Values> {
  const key = judgedKey(condition);
  if (key === undefined) return;
  const syntax = key.parsed.kind === "known" ? key.parsed.syntax : "text";
  yield { name: key.value, syntax, values: condition.values };
  yield { name: key.value, syntax, values: condition.notValues };
}

/** A rule about each value that is not empty and has the syntax; an empty one is told of once, by its own row. */
function forEachValue(
  code: AnyRow["code"],
  syntaxes: readonly ValueSyntax[],
  fault: (text: string, syntax: ValueSyntax, name: string) => Omit<Fault, "span"> | undefined,
): readonly AnyRow[] {
  return forValues(code, function* ({ name, syntax, values }) {
    if (!syntaxes.includes(syntax)) return;
    for (const { value, span } of values) {
      if (value === "") continue;
      const said = fault(value, syntax, name);
      if (said !== undefined) yield { span, ...said };
    }
  });
}

const cidrReason: Readonly<Record<CidrFault, string>> = {
  address: "an IP address or a block of them",
  zone: "an IP block or an IPv4 address without zone",
  length: "a decimal prefix length without leading zeros",
  range: "a prefix length within the address",
};

const serviceAccountReason: Readonly<Record<ServiceAccountFault, string>> = {
  empty: "a service account",
  star: "a service account without wildcard",
  slashes: "`name` or `namespace/name`",
  "empty-namespace": "a namespace before the slash",
  "empty-name": "a service account behind the slash",
  length: `at most ${serviceAccountMaxBytes} bytes`,
};

const trustDomainReason: Readonly<Record<TrustDomainFault, string>> = {
  stars: "a trust domain with one star at most",
  "inner-star": "a trust domain whose star stands at one end",
  slash: "a trust domain without slash",
};

/** Rows about single values. Istio: AuthorizationPolicy, values of fields and conditions. */
export const valueRows: readonly AnyRow[] = [
  ...forValues("policy/value-empty", function* ({ name, values }) {
    for (const { value, span } of values) {
      if (value === "") yield { span, message: `expected a value for ${quote(name)}, found empty text` };
    }
  }),
  ...forEachValue("policy/address", ["cidr"], (text, _, name) => {
    const parsed = parseCidr(text);
    return parsed.ok
      ? undefined
      : { message: `expected ${cidrReason[parsed.fault]} for ${quote(name)}, ${found(text)}`, ...addressHelp(text) };
  }),
  ...forEachValue("policy/port", ["port"], (text, _, name) => {
    return parsePort(text).ok
      ? undefined
      : { message: `expected a port from 0 to 65535 in decimal digits for ${quote(name)}, ${found(text)}` };
  }),
  ...forEachValue("policy/service-account", ["serviceAccount"], (text, _, name) => {
    const fault = serviceAccountFault(text);
    if (fault === "length") {
      const bytes = new TextEncoder().encode(text).length;
      return { message: `expected ${serviceAccountReason.length} for ${quote(name)}, found ${bytes}` };
    }
    return fault === undefined
      ? undefined
      : { message: `expected ${serviceAccountReason[fault]} for ${quote(name)}, ${found(text)}` };
  }),
  ...forValues("policy/service-accounts-too-many", function* ({ name, syntax, values }) {
    const surplus = values[serviceAccountMaxValues];
    if (syntax !== "serviceAccount" || surplus === undefined) return;
    yield {
      span: surplus.span,
      message: `expected at most ${serviceAccountMaxValues} values for ${quote(name)}, found ${values.length}`,
      help: "write a second item",
    };
  }),
  ...forEachValue("policy/trust-domain", ["trustDomain", "trustDomainField"], (text, syntax, name) => {
    const parsed = parseTrustDomainPattern(text, syntax === "trustDomainField" ? "refused" : "tolerated");
    return parsed.ok
      ? undefined
      : { message: `expected ${trustDomainReason[parsed.fault]} for ${quote(name)}, ${found(text)}` };
  }),
  ...forEachValue("policy/path-template", ["path"], (text) => {
    const parsed = parsePathTemplate(text);
    if (parsed.kind !== "refused") return undefined;
    const segment = quote(parsed.segment);
    switch (parsed.fault) {
      case "glob-after-any":
        return { message: `expected no glob behind \`{**}\` in a path, found ${segment} in ${quote(text)}` };
      case "braces":
        return {
          message: `expected braces in a path only as the segments \`{*}\` and \`{**}\`, found ${segment} in ${quote(text)}`,
          help: "a glob is a whole segment between slashes",
        };
      case "empty-segment":
        return { message: `expected no empty segment in a path template, found ${quote(text)}` };
      case "characters":
        return {
          message: `expected a segment of plain path characters in a path template, found ${segment} in ${quote(text)}`,
          ...(parsed.segment.includes("*") && { help: "a template has no `*`; write `{*}` as a whole segment" }),
        };
      case "aborts-envoy":
        return undefined;
    }
  }),
];

function addressHelp(text: string): { help: string } | undefined {
  if (/^[0-9.]+:[0-9]+$/.test(text)) return { help: "leave out the port" };
  if (text !== text.trim()) return { help: "leave out the white space" };
  if (/[*-]/.test(text)) return { help: "write a block such as `10.0.0.0/8`; there are no wildcards or ranges" };
  return undefined;
}
