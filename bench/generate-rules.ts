import {
  type Claims,
  type HeaderLines,
  type RequestAttributes,
  UNKNOWN,
  type Workload,
} from "#authz/engine/attributes";
import type {
  Attribute,
  FieldTest,
  Origin,
  Policy,
  Rule,
  RuleBody,
  RuleSet,
  TextTest,
  ValueTest,
} from "#policy-compiler/ruleset/model";
import { Random } from "#test/support/random";

/** `mesh`: many hosts. `gateway`: one host, told apart by path and principal. `hard`: header values, addresses, path suffixes alone. */
export const shapes = ["mesh", "gateway", "hard"] as const;
export type Shape = (typeof shapes)[number];

/** A rule set of one shape, and requests of which about half were made to fit one of its rules. */
export interface Workbench {
  readonly ruleSet: Omit<RuleSet, "index">;
  readonly workload: Workload;
  readonly requests: readonly RequestAttributes[];
}

const RULES_PER_POLICY = 5;
const origin: Origin = { file: "bench.yaml", line: 1, column: 1 };

/** Every policy selects the workload, so that no rule is out of the question from the start. One policy in five is a DENY. */
export function generateRules(shape: Shape, rules: number, requests: number, seed = 1): Workbench {
  const random = new Random(seed);
  const fields = new Fields();
  const makers = Array.from({ length: rules }, () => drafts[shape](random, rules, fields));
  const policies: Policy[] = [];
  const list: Rule[] = [];
  for (let i = 0; i < rules; i += RULES_PER_POLICY) {
    const policy = policies.length;
    policies.push({
      namespace: "apps",
      name: `p${String(policy).padStart(6, "0")}`,
      stage: policy % 5 === 4 ? "deny" : "allow",
      provider: undefined,
      attachment: { kind: "selector", labels: [] },
      origin,
    });
    makers.slice(i, i + RULES_PER_POLICY).forEach(({ body }, ordinal) => {
      list.push({ policy, ordinal, origin, http: body, tcp: undefined });
    });
  }
  return {
    ruleSet: {
      mesh: {
        rootNamespace: "istio-system",
        trustDomain: "cluster.local",
        trustDomainAliases: [],
        pathNormalization: "BASE",
        numTrustedProxies: 0,
      },
      policies,
      rules: list,
      peerAuthentications: [],
      requestAuthentications: [],
      workloads: [],
      services: [],
      providers: [],
      registrations: [],
    },
    workload: {
      namespace: "apps",
      name: "bench",
      labels: new Map([["app", "bench"]]),
      kind: "sidecar",
      gateway: undefined,
      service: undefined,
    },
    requests: Array.from({ length: requests }, () => {
      const fitting = random.pick(makers).request();
      return request(random.chance(0.5) ? fitting : mix(fitting, random.pick(makers).request()));
    }),
  };
}

/** What a request of the generator is made of. */
interface Parts {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly principal: string;
  readonly tenant: string | undefined;
  readonly address: readonly number[];
}

interface Draft {
  readonly body: RuleBody;
  readonly request: () => Parts;
}

/** Half of one and half of another: it has values that rules ask for, and seldom all that one rule asks for. */
function mix(a: Parts, b: Parts): Parts {
  return { ...a, path: b.path, tenant: b.tenant, method: b.method };
}

function request(parts: Parts): RequestAttributes {
  const headers = new Map<string, HeaderLines>([
    [":path", { lines: [parts.path], joined: false }],
    ["user-agent", { lines: ["bench/1"], joined: false }],
  ]);
  if (parts.tenant !== undefined) headers.set("x-tenant", { lines: [parts.tenant], joined: false });
  const address = { bytes: parts.address };
  const claims: Claims = {};
  return {
    http: {
      method: parts.method,
      host: parts.host,
      path: parts.path,
      headers: { get: (name) => headers.get(name), names: () => [...headers.keys()] },
      target: parts.path,
      scheme: "https",
      protocol: "HTTP/2",
      size: undefined,
      grpc: false,
    },
    peerAddress: address,
    remoteAddress: address,
    destinationAddress: { bytes: [10, 0, 0, 1] },
    destinationPort: 8080,
    tls: true,
    peer: { names: [parts.principal], opaque: [], complete: true },
    sni: undefined,
    claims,
    tokens: [claims],
    peerPort: 50_000,
    destinationPrincipal: undefined,
    nowMillis: 1_785_000_000_000,
    metadata: () => UNKNOWN,
  };
}

const methods = ["GET", "POST", "PUT", "DELETE"] as const;

const drafts: Readonly<Record<Shape, (random: Random, rules: number, fields: Fields) => Draft>> = {
  mesh: (random, rules, fields) => {
    const host = `svc${random.int(0, rules / 4)}.ns${random.int(0, 40)}.svc.cluster.local`;
    const path = `/api/v1/res${random.int(0, 200)}`;
    const principal = principalOf(random, rules / 10);
    const method = random.pick(methods);
    return {
      body: {
        to: [
          [
            fields.text({ kind: "host" }, { op: "exact", text: host }),
            fields.text({ kind: "method" }, { op: "exact", text: method }),
            fields.text({ kind: "path" }, { op: "prefix", text: path }),
          ],
        ],
        from: [[fields.principal(principal)]],
        when: [],
      },
      request: () => ({ ...blank(random), host, method, path: `${path}/${random.int(0, 99)}`, principal }),
    };
  },
  gateway: (random, rules, fields) => {
    const host = "api.example.com";
    const name = `team${random.int(0, rules / 50)}/svc${random.int(0, rules / 10)}`;
    const principal = principalOf(random, rules / 10);
    const method = random.pick(methods);
    const shape = random.int(0, 2);
    const pathTest: ValueTest =
      shape === 0
        ? { kind: "text", test: { op: "exact", text: `/v1/${name}/items` } }
        : shape === 1
          ? { kind: "text", test: { op: "prefix", text: `/v1/${name}/` } }
          : { kind: "template", pieces: [`/v1/${name}/`, "/items"], globs: ["*"] };
    const path = ["/items", `/x/${random.int(0, 99)}`, "/42/items"][shape]!;
    return {
      body: {
        to: [
          [
            fields.text({ kind: "host" }, { op: "exact", text: host }),
            fields.text({ kind: "method" }, { op: "exact", text: method }),
            fields.of({ kind: "path" }, pathTest),
          ],
        ],
        from: [[fields.principal(principal)]],
        when: [],
      },
      request: () => ({ ...blank(random), host, method, path: `/v1/${name}${path}`, principal }),
    };
  },
  hard: (random, rules, fields) => {
    const tenant = `tenant-${random.int(0, rules)}`;
    const block = [10, random.int(0, 255), random.int(0, 255), 0];
    const suffix = `/res${random.int(0, rules)}.json`;
    const asks = random.int(0, 2);
    const header = fields.text({ kind: "header", name: "x-tenant" }, { op: "exact", text: tenant });
    const remote = fields.of({ kind: "remoteAddress" }, { kind: "cidr", bytes: block, prefixLength: 24 });
    const path = fields.text({ kind: "path" }, { op: "suffix", text: suffix });
    return {
      body: {
        to: asks === 1 ? [[path]] : [],
        from: asks === 1 ? [] : [[remote]],
        when: asks === 2 ? [header] : [],
      },
      request: () => ({
        ...blank(random),
        tenant,
        path: `/files/${random.int(0, 99)}${suffix}`,
        address: [10, block[1]!, block[2]!, random.int(1, 254)],
      }),
    };
  },
};

function blank(random: Random): Parts {
  return {
    host: "other.example.com",
    method: "GET",
    path: "/",
    principal: principalOf(random, 10),
    tenant: undefined,
    address: [192, 0, 2, random.int(0, 255)],
  };
}

function principalOf(random: Random, accounts: number): string {
  return `spiffe://cluster.local/ns/ns${random.int(0, 40)}/sa/sa${random.int(0, accounts)}`;
}

/** Equal fields are one object, as the compiler makes them. */
class Fields {
  readonly #known = new Map<string, FieldTest>();

  text(attribute: Attribute, test: TextTest): FieldTest {
    return this.of(attribute, { kind: "text", test });
  }

  principal(text: string): FieldTest {
    return this.of({ kind: "identity" }, { kind: "principal", test: { op: "exact", text } });
  }

  of(attribute: Attribute, value: ValueTest): FieldTest {
    const key = JSON.stringify([attribute, value]);
    let field = this.#known.get(key);
    if (field === undefined) {
      const texts = ["…"];
      field = { field: attribute.kind, attribute, values: [value], notValues: [], texts, notTexts: [] };
      this.#known.set(key, field);
    }
    return field;
  }
}
