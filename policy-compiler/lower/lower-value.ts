import { parseMetadataValue } from "#policy-compiler/document/values/metadata-value";
import { parsePort } from "#policy-compiler/document/values/port";
import { parseNamespacePattern, parsePrincipal } from "#policy-compiler/document/values/principal";
import { parseRequestPrincipal } from "#policy-compiler/document/values/request-principal";
import { splitServiceAccount } from "#policy-compiler/document/values/service-account";
import { parseHostPattern, parseTextPattern } from "#policy-compiler/document/values/text-pattern";
import { parseTrustDomainPattern } from "#policy-compiler/document/values/trust-domain";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type { ValueTest } from "#policy-compiler/ruleset/model";
import { parseCidr } from "#policy-compiler/ruleset/patterns/cidr";
import { parsePathTemplate } from "#policy-compiler/ruleset/patterns/parse-path-template";
import type { FieldSyntax } from "./field-table.ts";
import { expandTrustDomain, migratePrincipal } from "./migrate-trust-domain.ts";

/** What the meaning of a value depends on beside its text. */
export interface ValueScope {
  /** The mesh's trust domain, then its aliases. */
  readonly trustDomains: readonly string[];
  /** Namespace of the policy: that of a service account which does not name one. */
  readonly policyNamespace: string;
}

/**
 * The tests that one authored value means: several where it names a trust domain of the mesh. `tests` is undefined when Istio's
 * compiler could not make one either. `foreign` is a trust domain of a principal that the mesh does not know.
 */
export interface LoweredValue {
  readonly tests: readonly ValueTest[] | undefined;
  readonly foreign?: string | undefined;
}

export function lowerValue(syntax: FieldSyntax, text: string, scope: ValueScope): LoweredValue {
  switch (syntax) {
    case "text":
      return one({ kind: "text", test: parseTextPattern(text) });
    case "host":
      return one({ kind: "text", test: parseHostPattern(text) });
    case "path":
      return lowerPath(text);
    case "port": {
      const parsed = parsePort(text);
      return parsed.ok ? one({ kind: "port", port: parsed.port }) : none;
    }
    case "cidr": {
      const parsed = parseCidr(text);
      if (!parsed.ok) return none;
      return one({ kind: "cidr", bytes: parsed.cidr.bytes, prefixLength: parsed.cidr.prefixLength });
    }
    case "principal": {
      const { values, foreign } = migratePrincipal(text, scope.trustDomains);
      return { tests: values.map(parsePrincipal), foreign };
    }
    case "namespace":
      return one(parseNamespacePattern(text));
    case "serviceAccount": {
      const { namespace, name } = splitServiceAccount(text, scope.policyNamespace);
      return one({ kind: "serviceAccount", namespace: toByteString(namespace), name: toByteString(name) });
    }
    case "trustDomain":
      return lowerTrustDomain(text, scope.trustDomains);
    case "requestPrincipal":
      return one(parseRequestPrincipal(text));
    case "metadata":
      return one(parseMetadataValue(text));
  }
}

const none: LoweredValue = { tests: undefined };

function one(test: ValueTest): LoweredValue {
  return { tests: [test] };
}

function lowerPath(text: string): LoweredValue {
  const parsed = parsePathTemplate(text);
  if (parsed.kind === "template") return one(parsed);
  // Braces that are no template are literal to Istio's compiler. A refused template would end an Envoy.
  if (parsed.kind === "refused" && parsed.template) return none;
  return one({ kind: "text", test: parseTextPattern(text) });
}

function lowerTrustDomain(text: string, trustDomains: readonly string[]): LoweredValue {
  const tests: ValueTest[] = [];
  for (const value of expandTrustDomain(text, trustDomains)) {
    const parsed = parseTrustDomainPattern(value, "tolerated");
    if (!parsed.ok) return none;
    tests.push(parsed.test);
  }
  return { tests };
}
