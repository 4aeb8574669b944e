import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create, toJsonString } from "@bufbuild/protobuf";
import { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { type Around, cli, folderOf, policy, readers } from "#test/support/cli/run-cli";

const hello = "examples/hello/policies";
const at = "examples/hello/policies/hello/authorization.yaml";
const readersRule = (ordinal: number, line: number) =>
  `ns[hello]-policy[hello-readers]-rule[${ordinal}] (${at}:${line})`;

const hint = "set context_extensions garita.dev/workload, or the listener's workload";
const allowed = `allow  200  policy/allowed  ${readersRule(0, 13)}\n`;
const posted = `allow  200  policy/allowed  ${readersRule(1, 17)}\n`;
const admin = `deny  403  policy/denied  ns[hello]-policy[hello-admin]-rule[0] (${at}:36)\n`;

const request = (file: string, input: string): readonly [readonly string[], Around] => [["-f", file], { input }];

/** Requests in every form, and the line that is printed. */
const asked: readonly (readonly [
  name: string,
  form: readonly [args: readonly string[], around?: Around],
  line: string,
])[] = [
  ["flags", [["-w", "hello-v1", "--path", "/hello"]], allowed],
  ["labels instead of a name", [["-n", "hello", "-l", "app=hello", "-l", "version=v9", "--path", "/hello"]], allowed],
  ["a principal", [["-w", "hello-v1", "-X", "POST", "--path", "/hello", "-p", "hello.mesh/ns/web/sa/nginx"]], posted],
  [
    "a principal with its scheme",
    [["-w", "hello-v1", "-X", "POST", "--path", "/hello", "-p", "spiffe://hello.mesh/ns/web/sa/nginx"]],
    posted,
  ],
  ["a rule that denies", [["-w", "hello-v1", "--path", "/hello/admin"]], admin],
  ["another port", [["-w", "hello-v1", "--path", "/hello/admin", "--local", "127.0.0.1:9999"]], allowed],
  ["another port of an IPv6 address", [["-w", "hello-v1", "--path", "/hello/admin", "--local", "[::1]:9999"]], allowed],
  ["an address in the registry", [["--local", "10.0.0.11:8080", "--path", "/hello"]], allowed],
  [
    "no workload",
    [["--path", "/hello"]],
    `deny  403  workload/unknown  no workload at address \`127.0.0.1\`, port 8080; ${hint}\n`,
  ],
  ["no labels", [["-n", "hello", "--no-labels", "--path", "/hello/admin"]], "allow  200  policy/no-policy\n"],
  ["a connection", [["-w", "hello-v1", "--tcp"]], admin.replace("403  ", "")],
  ["YAML", request("-", "workload: { workload: hello-v1 }\nrequest: { path: /hello }\n"), allowed],
  ["JSON", request("-", '{"workload":{"workload":"hello-v1"},"request":{"path":"/hello"}}'), allowed],
  [
    "YAML and flags over it",
    [["-f", "-", "--path", "/hello/admin"], { input: "workload: { workload: hello-v1 }\nrequest: { path: /hello }\n" }],
    admin,
  ],
  [
    "nothing at all",
    request("-", ""),
    `deny  403  workload/unknown  no workload at address \`127.0.0.1\`, port 8080; ${hint}\n`,
  ],
];

for (const [name, [args, around], line] of asked) {
  test(`eval of ${name}`, async () => {
    assert.deepEqual(await cli(["eval", hello, ...args], around), { status: 0, out: line, err: "" });
    const denied = line.startsWith("deny");
    for (const format of ["text", "json"]) {
      for (const command of ["eval", "explain"]) {
        const coded = await cli([command, hello, ...args, "--exit-code", "--format", format], around);
        assert.deepEqual([coded.status, coded.err], [denied ? 10 : 0, ""], `${command} ${format}`);
        const unindexed = await cli([command, hello, ...args, "--no-index", "--exit-code", "--format", format], around);
        assert.deepEqual(unindexed, coded, "the index changes nothing");
        if (format === "json") assert.equal(JSON.parse(coded.out).outcome, denied ? "deny" : "allow");
        else assert.ok(coded.out.startsWith(line));
      }
    }
  });
}

test("where a provider is says nothing of who asks; where a service of ours is does, at its port", async (t) => {
  const folder = await folderOf(t, {
    "mesh.yaml": "extensionProviders: [{ name: p, envoyExtAuthzGrpc: { service: auth/authz.example, port: 9000 } }]\n",
    "a.yaml": ["authz", "web"]
      .map(
        (name) => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: auth }
spec:
  hosts: [${name}.example]
  ports: [{ number: ${name === "web" ? 8080 : 9000}, name: p }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1 }]
`,
      )
      .join("---\n"),
  });
  for (const [port, line] of [
    [8080, "allow  200  policy/no-policy\n"],
    [8081, `deny  403  workload/unknown  no workload at address \`127.0.0.1\`, port 8081; ${hint}\n`],
    [9000, `deny  403  workload/unknown  no workload at address \`127.0.0.1\`, port 9000; ${hint}\n`],
  ] as const) {
    const { out } = await cli(["eval", folder, "--local", `127.0.0.1:${port}`, "--path", "/"]);
    assert.equal(out, line, `${port}`);
  }
});

/** What Envoy sends for a `GET /` through a proxy at 10.9.9.9, about namespace `shop`. */
const recorded = create(CheckRequestSchema, {
  attributes: {
    source: { address: socketAddress("192.0.2.1") },
    destination: { address: socketAddress("10.0.0.11") },
    request: {
      http: {
        method: "GET",
        path: "/",
        host: "shop",
        scheme: "http",
        protocol: "HTTP/1.1",
        headerMap: { headers: [":method: GET", ":path: /", ":authority: shop"].map(headerValue) },
      },
    },
    contextExtensions: { "garita.dev/namespace": "shop", "garita.dev/labels": "{}" },
  },
});

function socketAddress(address: string) {
  const value = { address, portSpecifier: { case: "portValue", value: 8080 } } as const;
  return { address: { case: "socketAddress", value } } as const;
}

function headerValue(line: string) {
  const [key = "", value = ""] = line.split(": ");
  return { key, rawValue: new TextEncoder().encode(value) };
}

const byProxy = policy("by-proxy", "rules: [{ from: [{ source: { ipBlocks: [10.9.9.0/24] } }] }]");

test("a recorded check is decided as it was sent: alone, and with the metadata of its call", async (t) => {
  const folder = await folderOf(t, { "p.yaml": byProxy });
  const decided = async (json: string) => (await cli(["eval", folder, "--check-request", "-"], { input: json })).out;
  for (const useProtoFieldName of [true, false]) {
    const json = toJsonString(CheckRequestSchema, recorded, { useProtoFieldName });
    assert.equal(await decided(json), "deny  403  policy/not-allowed\n", "nobody told the physical peer");
    for (const peer of ["[10.9.9.9]", ["[10.9.9.9]"]]) {
      const whole = JSON.stringify({ request: JSON.parse(json), metadata: { "X-Garita-Peer": peer } });
      assert.equal(
        await decided(whole),
        `allow  200  policy/allowed  ns[shop]-policy[by-proxy]-rule[0] (${folder}/p.yaml:4)\n`,
      );
    }
    const other = JSON.stringify({
      request: JSON.parse(json),
      metadata: { "x-garita-peer": ["[10.9.9.9]", "[10.9.9.9]"] },
    });
    assert.equal(await decided(other), "deny  403  policy/not-allowed\n", "told twice is told by nobody");
  }
});

test("a recorded check that does not say enough is explained by what is missing", async (t) => {
  const named = policy("named", "rules: [{ when: [{ key: connection.sni, values: [shop.example] }] }]");
  const folder = await folderOf(t, { "p.yaml": named });
  const json = toJsonString(CheckRequestSchema, recorded);
  const input = JSON.stringify({ request: JSON.parse(json), metadata: { "x-garita-tls": "[TLSv1.3]" } });
  const { out } = await cli(["explain", folder, "--check-request", "-"], { input });
  assert.match(out, /when: connection\.sni wanted `shop\.example`, found unknown/);
  assert.match(out, /unknown, and it mattered:\n {2}connection\.sni: include_tls_session: true\n/);
});

/** What a user can give wrongly: status 2, and what is said. */
const wrong: readonly (readonly [args: readonly string[], input: string | Uint8Array, says: RegExp])[] = [
  [["-f", "/nowhere.yaml"], "", /^`\/nowhere\.yaml` cannot be read: ENOENT/],
  [["-f", "/tmp"], "", /^`\/tmp` cannot be read: EISDIR/],
  [["-f", "-"], new Uint8Array([0x61, 0x3a, 0xff]), /^`-` cannot be read: .*encoded data/],
  [["-f", "-"], "request: [", /^-:1:\d+: ./],
  [["-f", "-"], "request:\n  pth: /hello\n", /^-:2:3: unknown key `pth` \(did you mean `path`\?\)$/],
  [["-f", "-"], "a: 1\nb: 2\n", /^-:1:1: unknown key `a`.*\n-:2:1: unknown key `b`/],
  [["-f", "-"], "workload: { port: 70000 }", /^-:1:19: .*65535/],
  [["-f", "-"], "tcp: true\nrequest: { path: / }", /^a connection has no `path`/],
  [["--tcp", "-X", "GET"], "", /^a connection has no `method`/],
  [["-l", "app"], "", /^expected `key=value` for a label, found `app`/],
  [["--local", "localhost"], "", /^expected `address:port`, found `localhost`/],
  [["--local", "127.0.0.1:99999"], "", /^expected `address:port`/],
  [["--check-request", "/nowhere.json"], "", /^`\/nowhere\.json` cannot be read: ENOENT/],
  [["--check-request", "-"], "a: 1", /^`-` is no CheckRequest: .*JSON/],
  [["--check-request", "-"], "null", /^`-` is no CheckRequest: expected an object$/],
  [["--check-request", "-"], "[]", /expected an object$/],
  [["--check-request", "-"], "{}", /expected `attributes`, found none$/],
  [["--check-request", "-"], '{"request": {"method": "GET"}}', /expected `attributes`, found none$/],
  [["--check-request", "-"], '{"attributes": 7}', /is no CheckRequest: /],
  [["--check-request", "-"], '{"request": {"attributes": {}}, "metadata": [1]}', /expected `metadata` to be an object/],
  [
    ["--check-request", "-"],
    '{"request": {"attributes": {}}, "metadata": {"a": 1}}',
    /expected text for the metadata `a`$/,
  ],
];

for (const [i, [args, input, says]] of wrong.entries()) {
  test(`eval ${args.join(" ")} (${i}): status 2`, async () => {
    for (const command of ["eval", "explain"]) {
      const { status, out, err } = await cli([command, hello, ...args, "--exit-code"], { input });
      assert.deepEqual([status, out], [2, ""]);
      assert.match(err.replace(/^garita: /, "").trimEnd(), says);
    }
  });
}

test("JSON says what the text says, with places from where the user stands", async () => {
  const args = ["-w", "hello-v1", "--path", "/hello/x", "-X", "POST", "-p", "hello.mesh/ns/web/sa/nginx"];
  const { out } = await cli(["explain", `./${hello}/`, ...args, "--format", "json"]);
  const { outcome, status, reason, applied, nearest, workload, digest } = JSON.parse(out);
  assert.deepEqual([outcome, status, reason], ["deny", 403, "policy/not-allowed"]);
  assert.deepEqual(
    applied.map(({ name, origin }: { name: string; origin: { file: string } }) => [name, origin.file]),
    [
      ["hello-admin", at],
      ["hello-readers", at],
    ],
  );
  assert.deepEqual(
    [nearest[0].rule.origin.file, nearest[0].rule.origin.line, nearest[0].failed[0].seen],
    [at, 17, "/hello/x"],
  );
  assert.deepEqual(workload.labels, { app: "hello", version: "v1" });
  assert.match(digest, /^[0-9a-f]{64}$/);
});

test("the README's explanation is what is printed", async () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const [, line = "", printed] = /\$ npm run -s garita -- (explain [^\n]+)\n([\s\S]*?)```/.exec(readme) ?? [];
  const { out } = await cli(line.split(" "));
  assert.equal(out, printed);
});

test("a rule that decided is told with the value that each of its fields matched", async (t) => {
  const rule = `{ from: [{ source: { ipBlocks: [192.0.2.1] } }, { source: { notIpBlocks: [10.0.0.0/8] } }],
    to: [{ operation: { methods: [POST] } }, { operation: { paths: ["/a*", /b] } }],
    when: [{ key: "request.headers[x-t]", values: [c] }, { key: "request.headers[x-u]", notValues: [d] }] }`;
  const folder = await folderOf(t, {
    "p.yaml": `${policy("never", `action: DENY, rules: [${rule}]`)}---\n${policy("all", "action: ALLOW, rules: [{}]")}`,
  });
  const asked = ["explain", folder, "-n", "shop", "--no-labels", "--path", "/ab"];
  const { out } = await cli([...asked, "-H", "x-t: c"]);
  assert.ok(
    out.endsWith(`
why the rule matched:
  from: notIpBlocks wanted \`10.0.0.0/8\`, found \`127.0.0.1\`
  to: paths wanted \`/a*\` or \`/b\`, found \`/ab\`
  when: request.headers[x-t] wanted \`c\`, found \`c\`
  when: request.headers[x-u] notValues wanted \`d\`, found absent
`),
    out,
  );
  assert.ok((await cli(asked)).out.endsWith("\nthe rule that decided matches everything\n"));
});

test("no rule came nearest where it was not a rule that was missing", async (t) => {
  const strict = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
`;
  const folder = await folderOf(t, { "p.yaml": `${readers}---\n${strict}` });
  const asked = ["explain", folder, "-n", "shop", "--no-labels", "-X", "POST"];
  const plain = await cli(asked);
  assert.match(plain.out, /^deny {2}403 {2}mtls-required/);
  assert.doesNotMatch(plain.out, /nearest|why/);
  assert.match((await cli([...asked, "-p", "cluster.local/ns/a/sa/b"])).out, /\nrules that came nearest:\n/);
});

test("dry-run and AUDIT results are told, with their rules", async (t) => {
  const dry = policy("dry", "action: DENY, rules: [{ to: [{ operation: { methods: [GET], ports: ['8080'] } }] }]");
  const folder = await folderOf(t, {
    "p.yaml": `${readers}---\n${dry.replace("namespace: shop", 'namespace: shop, annotations: { istio.io/dry-run: "true" }')}---\n${policy("seen", "action: AUDIT, rules: [{}]")}`,
  });
  const { out } = await cli(["explain", folder, "-n", "shop", "--no-labels"]);
  assert.ok(out.includes(`\naudit: ns[shop]-policy[seen]-rule[0] (${folder}/p.yaml:14)\n`), out);
  assert.ok(out.includes(`\ndry run, deny: denied by ns[shop]-policy[dry]-rule[0] (${folder}/p.yaml:9)\n`), out);
});

test("what a request says cannot steer the terminal", async (t) => {
  const folder = await folderOf(t, { "p.yaml": readers });
  const { out } = await cli(["explain", folder, "-n", "shop", "-l", "a=\u001b[2J", "-X", "POST"]);
  assert.equal(out.includes("\u001b"), false);
  assert.match(out, /a=\u{fffd}\[2J/u);
});
