import type { Provider, RegisteredService, RuleSet } from "#policy-compiler/ruleset/model";
import { ruleSetOf } from "#test/support/check/rule-set";

/** A rule set's part that concerns providers: one for each entry, its service on a loopback port. */
export function providersRuleSet(
  entries: readonly {
    readonly name: string;
    readonly kind: "http" | "grpc";
    readonly port: number;
    readonly options?: Readonly<Record<string, unknown>>;
    readonly protocol?: string;
    readonly host?: string;
  }[],
): RuleSet {
  const hostOf = (name: string, host?: string) => host ?? `${name}.foo.svc.cluster.local`;
  const providers = entries.map(
    ({ name, kind, options, host }): Provider => ({
      name,
      kind,
      options: JSON.stringify({ service: `foo/${hostOf(name, host)}`, port: 9000, ...options }),
    }),
  );
  const services = entries.map(
    ({ name, port, protocol, host }): RegisteredService => ({
      namespace: "foo",
      name,
      hosts: [hostOf(name, host)],
      ports: [{ number: 9000, name: "p", protocol: protocol ?? "GRPC", targetPort: undefined }],
      resolution: "STATIC",
      endpoints: [{ address: "127.0.0.1", ports: [["p", port]] }],
      origin: { file: "services.yaml", line: 1, column: 1 },
    }),
  );
  return { ...ruleSetOf({ mesh: { pathNormalization: "NONE" } }), services, providers };
}
