import { quote } from "#identity/encoding/quote";
import type { SourceField } from "#policy-compiler/document/model";
import { parseConditionKey } from "#policy-compiler/document/values/condition-key";
import type { AnyRow, Fields } from "./rule.ts";
import { widenedByIstiosCheck } from "./tcp-widening.ts";

/** Fields that speak of identities, which a CUSTOM policy cannot: it runs before them. */
const notWithCustom: readonly SourceField[] = [
  "namespaces",
  "serviceAccounts",
  "trustDomains",
  "principals",
  "requestPrincipals",
];

const conditionsNotWithCustom = [
  "source.namespace",
  "source.serviceAccount",
  "source.trustDomain",
  "source.principal",
] as const;

/** Rows about the policy as a whole and about the shape of its rules. Istio: AuthorizationPolicy. */
export const policyRows: readonly AnyRow[] = [
  {
    code: "policy/custom-without-rules",
    about: "policy",
    *find({ action, rules }) {
      if (action.value !== "CUSTOM" || rules.length > 0) return;
      yield {
        span: action.span,
        message: "expected rules in a CUSTOM policy, found none, so that it is never triggered",
        help: "write `rules: [{}]` to ask the provider about every request",
      };
    },
  },
  {
    code: "policy/custom-without-provider",
    about: "policy",
    *find({ action, rules, provider }) {
      if (action.value !== "CUSTOM" || rules.length === 0 || (provider?.value ?? "") !== "") return;
      yield {
        span: provider?.span ?? action.span,
        message: "expected `provider.name` in a CUSTOM policy, found none",
        help: "name one of the mesh's `extensionProviders`",
      };
    },
  },
  {
    code: "policy/provider-without-custom",
    about: "policy",
    *find({ action, provider }) {
      if (provider === undefined || action.value === "CUSTOM") return;
      yield {
        span: provider.span,
        message: `expected a provider with action CUSTOM only, found action ${quote(action.value)}`,
        help: "write `action: CUSTOM`, or remove `provider`",
      };
    },
  },
  {
    code: "policy/deny-without-rules",
    about: "policy",
    *find({ action, rules }) {
      if (action.value !== "DENY" || rules.length > 0) return;
      yield {
        span: action.span,
        message: "expected rules in a DENY policy, found none, so that it is never triggered",
        help: "write `rules: [{}]` to deny every request",
      };
    },
  },
  {
    code: "policy/custom-source-field",
    about: "list",
    *find({ policy, field, written, values }) {
      const [first] = values;
      if (policy.action.value !== "CUSTOM" || first === undefined) return;
      if (!notWithCustom.some((name) => name === field)) return;
      yield {
        span: first.span,
        message: `expected a field that CUSTOM policies support, found ${quote(written)}`,
        help: "use `ipBlocks`, `remoteIpBlocks`, `to` or `when`, and leave identities to the provider or to another policy",
      };
    },
  },
  {
    code: "policy/custom-condition-key",
    about: "condition",
    *find({ policy, condition: { key } }) {
      if (policy.action.value !== "CUSTOM" || key === undefined) return;
      const refused =
        conditionsNotWithCustom.some((name) => name === key.value) || key.value.startsWith("request.auth.");
      if (!refused) return;
      yield {
        span: key.span,
        message: `expected a condition key that CUSTOM policies support, found ${quote(key.value)}`,
        help: "CUSTOM policies run before tokens and identities are judged",
      };
    },
  },
  {
    code: "policy/source-missing",
    about: "rule",
    *find({ rule }) {
      for (const { source, span } of rule.from) {
        if (source === undefined) yield { span, message: "expected an item of `from` with a `source`, found none" };
      }
    },
  },
  {
    code: "policy/operation-missing",
    about: "rule",
    *find({ rule }) {
      for (const { operation, span } of rule.to) {
        if (operation === undefined)
          yield { span, message: "expected an item of `to` with an `operation`, found none" };
      }
    },
  },
  {
    code: "policy/source-empty",
    about: "source",
    *find({ source }) {
      if (!isEmpty(source)) return;
      yield {
        span: source.span,
        message: "expected a `source` with a field that has values, found none",
        help: "leave out `from` to mean any source",
      };
    },
  },
  {
    code: "policy/operation-empty",
    about: "operation",
    *find({ operation }) {
      if (!isEmpty(operation)) return;
      yield {
        span: operation.span,
        message: "expected an `operation` with a field that has values, found none",
        help: "leave out `to` to mean any operation",
      };
    },
  },
  {
    code: "policy/service-accounts-combined",
    about: "source",
    *find({ source }) {
      const accounts = firstValue(source, "serviceAccounts");
      if (accounts === undefined) return;
      for (const other of ["principals", "namespaces"] as const) {
        if (firstValue(source, other) === undefined) continue;
        yield {
          span: accounts.span,
          message: `expected \`serviceAccounts\` without \`${other}\` in one source, found both`,
          help: "write the namespace into the service account: `namespace/name`",
        };
        return;
      }
    },
  },
  {
    code: "policy/condition-key-missing",
    about: "condition",
    *find({ condition: { key, span } }) {
      if ((key?.value ?? "") !== "") return;
      yield { span: key?.span ?? span, message: "expected a condition with a key, found none" };
    },
  },
  {
    code: "policy/condition-without-values",
    about: "condition",
    *find({ condition: { key, values, notValues } }) {
      if (key === undefined || key.value === "" || values.length + notValues.length > 0) return;
      yield {
        span: key.span,
        message: `expected \`values\` or \`notValues\` for ${quote(key.value)}, found neither`,
        ...(takesLoneStar(key.value) && { help: 'write `values: ["*"]` to ask for its presence' }),
      };
    },
  },
  {
    code: "policy/deny-widens-on-tcp",
    about: "rule",
    *find(subject) {
      const place = widenedByIstiosCheck(subject);
      if (place === undefined) return;
      yield {
        span: place,
        message:
          "expected ports in a DENY rule of HTTP attributes, found none, so that it denies all traffic of TCP ports in scope",
        help: "add `ports` to each `operation`",
      };
    },
  },
];

/** Is a lone star among the values of that key a test for presence? */
function takesLoneStar(key: string): boolean {
  const parsed = parseConditionKey(key);
  return parsed.kind === "known" && !["cidr", "port", "serviceAccount"].includes(parsed.syntax);
}

function isEmpty({ fields }: Fields): boolean {
  return Object.values(fields).every((field) => field.values.length + field.notValues.length === 0);
}

function firstValue({ fields }: Fields, field: SourceField) {
  return fields[field]?.values[0] ?? fields[field]?.notValues[0];
}
