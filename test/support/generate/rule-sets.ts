import { buildIndexes } from "#policy-compiler/index/build";
import {
  type Attachment,
  type Expression,
  type FieldTest,
  type Origin,
  type Policy,
  type ResponseValue,
  type Rule,
  type RuleBody,
  type RuleExtension,
  type RuleSet,
  ruleKey,
  type Stage,
  stages,
} from "#policy-compiler/ruleset/model";
import type { Random } from "#test/support/random";
import { fieldTest } from "./fields.ts";
import { words } from "./words.ts";

const origin: Origin = { file: "policies.yaml", line: 1, column: 1 };

/** Adds the index to what a test wrote down. */
export function withIndex(ruleSet: Omit<RuleSet, "index">): RuleSet {
  return { ...ruleSet, index: buildIndexes(ruleSet) };
}

/** A rule set without policies, for tests to fill. */
export const emptyRuleSet: Omit<RuleSet, "index"> = {
  mesh: {
    rootNamespace: "root",
    trustDomain: "td1",
    trustDomainAliases: [],
    pathNormalization: "BASE",
    numTrustedProxies: 0,
  },
  policies: [],
  rules: [],
  peerAuthentications: [],
  requestAuthentications: [],
  workloads: [],
  services: [
    {
      namespace: "foo",
      name: "provider",
      hosts: ["provider.example"],
      ports: [{ number: 9000, name: "http", protocol: "HTTP", targetPort: undefined }],
      resolution: "DNS",
      endpoints: [],
      origin: { file: "services.yaml", line: 1, column: 1 },
    },
  ],
  providers: [
    { name: "over-http", kind: "http", options: '{"service":"provider.example","port":9000}' },
    { name: "over-grpc", kind: "grpc", options: "{}" },
  ],
  registrations: [],
};

/** A policy and its rules before they have ids. */
export interface PolicyDraft {
  readonly policy: Policy;
  readonly bodies: readonly {
    readonly http: RuleBody | undefined;
    readonly tcp: RuleBody | undefined;
    readonly extension?: RuleExtension;
  }[];
}

/** Puts policies and rules in the order that a rule set promises. Keys must be ASCII. */
export function assemble(drafts: readonly PolicyDraft[], base: Omit<RuleSet, "index"> = emptyRuleSet): RuleSet {
  const place = ({ family, namespace, name }: Policy) =>
    `${family === undefined ? "" : `${family}-`}ns[${namespace}]-policy[${name}]`;
  const sorted = drafts.toSorted((a, b) => compare(place(a.policy), place(b.policy)));
  const policies = sorted.map(({ policy }) => policy);
  const rules = sorted
    .flatMap(({ bodies }, policy) =>
      bodies.map((body, ordinal): Rule => ({ policy, ordinal, origin: policies[policy]!.origin, ...body })),
    )
    .map((rule) => ({ rule, key: ruleKey({ ...policies[rule.policy]!, provider: undefined }, rule.ordinal) }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ rule }) => rule);
  return withIndex({ ...base, policies, rules });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A random rule set. Its rules share fields, as compiled ones do. */
export function ruleSet(random: Random): RuleSet {
  const size = random.pick([2, 8, 25, 40]);
  const fields = Array.from({ length: 4 + 3 * size }, () => fieldTest(random));
  // Some sets have few attributes in common, some all, so that indexes of every shape come up.
  const pool = random.chance(0.5) ? fields : fields.slice(0, 4 + size);
  return assemble(
    Array.from({ length: size }, (_, i) => draft(random, `p${i}`, pool)),
    emptyRuleSet,
  );
}

interface PoolField {
  readonly field: FieldTest;
  readonly httpOnly: boolean;
}

function draft(random: Random, name: string, pool: readonly PoolField[]): PolicyDraft {
  const stage = random.pick([...stages, "allow", "deny"] as const);
  const policy: Policy = {
    namespace: random.pick(words.workloadNamespaces),
    name,
    stage,
    provider: stage === "custom" ? random.pick(["over-http", "over-grpc", "unheard-of"]) : undefined,
    attachment: attachment(random),
    origin,
  };
  const strict = stage === "allow" || stage === "dryRunAllow";
  const rule = () => bodies(random, pool, strict);
  const rules = random.list(0, random.pick([1, 3, 12]), rule);
  if (!random.chance(0.4)) return { policy, bodies: rules };
  const extended = rules.map((one) => ({ ...one, extension: extensionOf(random, stage) }));
  return { policy: { ...policy, family: "garita" }, bodies: extended };
}

/** Conditions that often hold, often do not, and often have no value; answers where the stage has them. */
function extensionOf(random: Random, stage: Stage): RuleExtension {
  const pool = stage === "custom" ? words.conditions : [...words.conditions, ...words.tokenConditions];
  const conditions = random.list(1, 2, () => expression(random.pick(pool)));
  const value = (): ResponseValue => {
    const text = random.pick(words.values);
    return text.startsWith("=") ? { kind: "cel", expression: expression(text.slice(1)) } : { kind: "text", text };
  };
  const fields = () => random.list(1, 2, () => [random.pick(["x-a", "x-b"]), value()] as const);
  const answers = random.chance(0.3);
  return {
    conditions,
    denyResponse:
      answers && stage === "deny"
        ? { status: random.pick([undefined, 401, 302]), headers: fields(), body: random.pick([undefined, value()]) }
        : undefined,
    allowResponse:
      answers && stage === "allow"
        ? { requestHeaders: fields(), responseHeaders: fields(), dynamicMetadata: fields() }
        : undefined,
  };
}

function expression(text: string): Expression {
  return { text, origin };
}

function bodies(random: Random, pool: readonly PoolField[], strict: boolean) {
  const fields = () => random.list(random.chance(0.95) ? 1 : 0, 3, () => random.pick(pool));
  const entries = () => (random.chance(0.3) ? [] : random.list(1, random.pick([1, 1, 3]), fields));
  const draft = { to: entries(), from: entries(), when: random.chance(0.5) ? fields() : [] };
  const of = (keep: (field: PoolField) => boolean): RuleBody => {
    const entry = (list: readonly PoolField[]) => list.filter(keep).map(({ field }) => field);
    return { to: draft.to.map(entry), from: draft.from.map(entry), when: entry(draft.when) };
  };
  const all = of(() => true);
  const degraded = [...draft.to.flat(), ...draft.from.flat(), ...draft.when].some(({ httpOnly }) => httpOnly);
  const tcp = !degraded ? all : strict ? undefined : of(({ httpOnly }) => !httpOnly);
  return { http: random.chance(0.95) ? all : undefined, tcp };
}

function attachment(random: Random): Attachment {
  if (random.chance(0.8)) {
    const labels = words.labels
      .filter(() => random.chance(0.25))
      .map((key) => [key, random.pick(words.labelValues)] as const);
    return { kind: "selector", labels };
  }
  return {
    kind: "targetRefs",
    refs: random.list(1, 2, () => {
      const [group, kind] = random.pick([
        ["", "Service"],
        ["core", "Service"],
        ["networking.istio.io", "ServiceEntry"],
        ["gateway.networking.k8s.io", "Gateway"],
        ["gateway.networking.k8s.io", "GatewayClass"],
      ] as const);
      return { group, kind, name: random.pick([...words.services, ...words.gateways, "istio-waypoint"]) };
    }),
  };
}
