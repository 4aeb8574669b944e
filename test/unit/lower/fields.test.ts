import assert from "node:assert/strict";
import { test } from "node:test";
import { lowered, policyYaml } from "#test/support/lowered";

const exact = (text: string) => ({ op: "exact", text });
const prefix = (text: string) => ({ op: "prefix", text });
const suffix = (text: string) => ({ op: "suffix", text });
const textTest = (test: unknown) => ({ kind: "text", test });
const principalTest = (test: unknown) => ({ kind: "principal", test });
const identity = { kind: "identity" };
const claim = (...path: string[]) => ({ kind: "claim", path });

/** Field of a source, operation or condition -> YAML list, attribute, values. */
const sources: Readonly<Record<string, readonly [list: string, attribute: unknown, values: readonly unknown[]]>> = {
  principals: [
    "[td/ns/a/sa/b, td/ns/a/*, '*/sa/b', '*']",
    identity,
    [
      principalTest(exact("spiffe://td/ns/a/sa/b")),
      principalTest(prefix("spiffe://td/ns/a/")),
      principalTest(suffix("/sa/b")),
      principalTest({ op: "present" }),
    ],
  ],
  requestPrincipals: [
    "[i/s]",
    { kind: "requestPrincipal" },
    [{ kind: "requestPrincipal", iss: exact("i"), sub: exact("s") }],
  ],
  namespaces: ["[a*b]", identity, [{ kind: "namespace", pieces: ["a", "b"] }]],
  serviceAccounts: [
    "[b, a/b]",
    identity,
    [
      { kind: "serviceAccount", namespace: "foo", name: "b" },
      { kind: "serviceAccount", namespace: "a", name: "b" },
    ],
  ],
  ipBlocks: [
    "['10.1.2.3/8', '::1']",
    { kind: "peerAddress" },
    [
      { kind: "cidr", bytes: [10, 0, 0, 0], prefixLength: 8 },
      { kind: "cidr", bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], prefixLength: 128 },
    ],
  ],
  remoteIpBlocks: ["[10.1.2.3]", { kind: "remoteAddress" }, [{ kind: "cidr", bytes: [10, 1, 2, 3], prefixLength: 32 }]],
  trustDomains: [
    "[other, 'a*', '*']",
    identity,
    [
      { kind: "trustDomain", op: "exact", text: "other" },
      { kind: "trustDomain", op: "star", before: "a", after: "" },
      { kind: "trustDomain", op: "any" },
    ],
  ],
};

const operations: typeof sources = {
  hosts: ["[A.Example.com, '*.B.c']", { kind: "host" }, [textTest(exact("a.example.com")), textTest(suffix(".b.c"))]],
  ports: ["['080']", { kind: "port" }, [{ kind: "port", port: 80 }]],
  methods: [
    "[GET, get, '*']",
    { kind: "method" },
    [textTest(exact("GET")), textTest(exact("get")), textTest({ op: "present" })],
  ],
  paths: [
    "[/A, /b*, '*', '/c/{*}/d/{**}', '/x{y}']",
    { kind: "path" },
    [
      textTest(exact("/A")),
      textTest(prefix("/b")),
      textTest({ op: "present" }),
      { kind: "template", pieces: ["/c/", "/d/", ""], globs: ["*", "**"] },
      textTest(exact("/x{y}")),
    ],
  ],
};

const conditions: typeof sources = {
  "request.headers[X-T]": [
    "[A, '*']",
    { kind: "header", name: "x-t" },
    [textTest(exact("A")), textTest({ op: "present" })],
  ],
  "request.headers[host]": ["[A]", { kind: "header", name: ":authority" }, [textTest(exact("A"))]],
  "source.ip": ["[10.0.0.1]", { kind: "peerAddress" }, [{ kind: "cidr", bytes: [10, 0, 0, 1], prefixLength: 32 }]],
  "remote.ip": ["[10.0.0.0/7]", { kind: "remoteAddress" }, [{ kind: "cidr", bytes: [10, 0, 0, 0], prefixLength: 7 }]],
  "destination.ip": [
    "[10.0.0.1]",
    { kind: "destinationAddress" },
    [{ kind: "cidr", bytes: [10, 0, 0, 1], prefixLength: 32 }],
  ],
  "source.namespace": ["['*']", identity, [{ kind: "namespace", pieces: ["", ""] }]],
  "source.serviceAccount": ["[b]", identity, [{ kind: "serviceAccount", namespace: "foo", name: "b" }]],
  "source.principal": ["[a]", identity, [principalTest(exact("spiffe://a"))]],
  "source.trustDomain": ["[a]", identity, [{ kind: "trustDomain", op: "exact", text: "a" }]],
  "request.auth.principal": [
    "['*']",
    { kind: "requestPrincipal" },
    [{ kind: "requestPrincipal", iss: { op: "present" }, sub: { op: "present" } }],
  ],
  "request.auth.audiences": ["[a]", claim("aud"), [textTest(exact("a"))]],
  "request.auth.presenter": ["[a]", claim("azp"), [textTest(exact("a"))]],
  "request.auth.claims[a][b]": ["[v*]", claim("a", "b"), [textTest(prefix("v"))]],
  "destination.port": ["['80']", { kind: "port" }, [{ kind: "port", port: 80 }]],
  "connection.sni": ["[A.b]", { kind: "sni" }, [textTest(exact("A.b"))]],
  "experimental.envoy.filters.x[k]": [
    "[v, '[w]']",
    { kind: "metadata", namespace: "envoy.filters.x", key: "k" },
    [
      { kind: "metadata", list: false, test: exact("v") },
      { kind: "metadata", list: true, test: exact("w") },
    ],
  ],
};

const negated = (name: string) => `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;

function onlyField(spec: string) {
  const { ruleSet } = lowered({ "p.yaml": policyYaml(spec) });
  const body = ruleSet.rules[0]?.http;
  assert.ok(body !== undefined, spec);
  const fields = [...body.from.flat(), ...body.to.flat(), ...body.when];
  assert.equal(fields.length, 1, spec);
  return fields[0]!;
}

for (const [side, table] of [
  ["source", sources],
  ["operation", operations],
  ["when", conditions],
] as const) {
  for (const [name, [list, attribute, values]] of Object.entries(table)) {
    test(`${side} field ${name} reads its attribute`, () => {
      const wrap = (positive: boolean): string => {
        if (side === "when")
          return `{rules: [{when: [{key: '${name}', ${positive ? "values" : "notValues"}: ${list}}]}]}`;
        const entry = `{${side}: {${positive ? name : negated(name)}: ${list}}}`;
        return `{rules: [{${side === "source" ? "from" : "to"}: [${entry}]}]}`;
      };
      const field = onlyField(wrap(true));
      assert.equal(field.field, name);
      assert.deepEqual(field.attribute, attribute);
      assert.deepEqual(field.values, values);
      assert.deepEqual(field.notValues, []);
      const twin = onlyField(wrap(false));
      assert.equal(twin.field, name);
      assert.deepEqual([twin.values, twin.notValues], [[], values]);
      assert.deepEqual([twin.texts, twin.notTexts], [[], field.texts]);
    });
  }
}

test("texts are kept as they were written", () => {
  const field = onlyField("{rules: [{to: [{operation: {hosts: [A.b], notHosts: ['*C']}}]}]}");
  assert.deepEqual([field.texts, field.notTexts], [["A.b"], ["*C"]]);
});

test("equal fields of different policies are one object", () => {
  const spec = "{rules: [{to: [{operation: {paths: [/a], notPaths: [/b]}}]}]}";
  const { ruleSet } = lowered({
    "p.yaml": policyYaml(spec),
    "q.yaml": policyYaml(spec.replace("[/b]", "[/b, /a]"), "{name: q, namespace: foo}"),
    "r.yaml": policyYaml(spec, "{name: r, namespace: bar}"),
  });
  const [first, second, third] = ["p", "q", "r"].map((name) => {
    const rule = ruleSet.rules.find(({ policy }) => ruleSet.policies[policy]?.name === name);
    return rule?.http?.to[0]?.[0];
  });
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(third, first);
  assert.notEqual(second, first);
  assert.equal(second.values[0], first.values[0]);
  assert.equal(second.notValues[1], first.values[0]);
});
