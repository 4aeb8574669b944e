import type { CheckEnvironment } from "#authz/check/contract";
import { snapshotOfRules } from "#authz/check/snapshot";
import { noVerification } from "#authz/check/tokens/no-verification";
import type { Engine } from "#authz/engine/contract";
import { createEngine } from "#authz/engine/create-engine";
import type {
  FieldTest,
  Mesh,
  PeerAuthenticationRule,
  Policy,
  RegisteredWorkload,
  Rule,
  RuleSet,
  Stage,
} from "#policy-compiler/ruleset/model";

const origin = { file: "p.yaml", line: 1, column: 1 };
const noIndex = { always: [], dimensions: [] };

/** One policy of one rule in namespace `foo` for every workload there; `fields`: all must hold. No fields: always. */
export interface PolicyInput {
  readonly name: string;
  readonly stage: Stage;
  readonly fields?: readonly FieldTest[];
  /** False: a policy without rules. */
  readonly rules?: boolean;
}

/** A rule set as the compiler would make it, without an index. */
export function ruleSetOf(input: {
  readonly policies?: readonly PolicyInput[];
  readonly mesh?: Partial<Mesh>;
  readonly workloads?: readonly Partial<RegisteredWorkload>[];
  readonly peerAuthentications?: readonly Partial<PeerAuthenticationRule>[];
  readonly requestAuthentications?: number;
}): RuleSet {
  const sorted = [...(input.policies ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1));
  const policies = sorted.map(
    ({ name, stage }): Policy => ({
      namespace: "foo",
      name,
      stage,
      provider: stage === "custom" ? "opa" : undefined,
      attachment: { kind: "selector", labels: [] },
      origin,
    }),
  );
  const rules: Rule[] = sorted.flatMap(({ fields = [], rules: has = true }, policy) => {
    const body = { to: [], from: [], when: fields };
    return has ? [{ policy, ordinal: 0, origin, http: body, tcp: body }] : [];
  });
  const index = { always: rules.map((_rule, id) => id), dimensions: [] };
  return {
    mesh: {
      rootNamespace: "istio-system",
      trustDomain: "cluster.local",
      trustDomainAliases: [],
      pathNormalization: "BASE",
      numTrustedProxies: 0,
      ...input.mesh,
    },
    policies,
    rules,
    peerAuthentications: (input.peerAuthentications ?? []).map((rule) => ({
      namespace: "foo",
      name: "pa",
      labels: [],
      mode: "UNSET",
      ports: [],
      origin,
      ...rule,
    })),
    requestAuthentications: Array.from({ length: input.requestAuthentications ?? 0 }, (_none, i) => ({
      namespace: "foo",
      name: `ra${i}`,
      attachment: { kind: "selector", labels: [] },
      jwtRules: [
        {
          issuer: "https://issuer.example",
          audiences: [],
          jwksUri: undefined,
          jwks: undefined,
          fromHeaders: [],
          fromParams: [],
          fromCookies: [],
          forwardOriginalToken: false,
          outputPayloadToHeader: undefined,
          outputClaimToHeaders: [],
          timeoutMillis: undefined,
          spaceDelimitedClaims: [],
          origin: { file: "p.yaml", line: 1, column: 1 },
        },
      ],
      origin,
    })),
    workloads: (input.workloads ?? []).map((workload) => ({
      namespace: "foo",
      name: "w",
      labels: [],
      serviceAccount: undefined,
      address: undefined,
      ports: undefined,
      origin,
      ...workload,
    })),
    services: [],
    providers: [],
    registrations: [],
    index: { http: index, tcp: index, customHttp: noIndex, customTcp: noIndex },
  };
}

export function environmentOf(
  ruleSet: RuleSet | undefined,
  change: (engine: Engine) => Engine = (engine) => engine,
): CheckEnvironment {
  const engine = ruleSet && change(createEngine(ruleSet, "d1935", { index: false }));
  let count = 0;
  return {
    snapshot: () => engine && snapshotOfRules(engine),
    nextId: () => `id-${++count}`,
    nowMillis: () => 0,
    tokens: noVerification,
  };
}

/** A field test on an exact text (of a header with `header`). */
export function exactly(
  kind: "method" | "host" | "path" | "sni" | "principal" | "header",
  text: string,
  header = "",
): FieldTest {
  const attribute =
    kind === "header"
      ? ({ kind: "header", name: header } as const)
      : kind === "principal"
        ? ({ kind: "identity" } as const)
        : ({ kind } as const);
  const test = { op: "exact", text } as const;
  return {
    field: kind,
    attribute,
    values: [kind === "principal" ? { kind: "principal", test } : { kind: "text", test }],
    notValues: [],
    texts: [text],
    notTexts: [],
  };
}
