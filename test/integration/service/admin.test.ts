import assert from "node:assert/strict";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { type IncomingMessage, request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildFrom } from "#authz/rulesets/build-rules";
import { directorySource } from "#authz/rulesets/directory-source";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import { readDirectory } from "#authz/rulesets/read-directory";
import type { RequestDescription } from "#cli/request/description";
import { explainRequest } from "#cli/request/explain-request";
import { ruleWarnings } from "#cli/serve/rule-warnings";
import { createAuthority } from "#test/support/service/certificates";
import { runService } from "#test/support/service/run-service";
import { tempFolder } from "#test/support/service/temp-folder";

interface Asked {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

function ask(options: RequestOptions & { ca?: Buffer; cert?: Buffer; key?: Buffer }, body?: string): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const send = options.protocol === "https:" ? tlsRequest : plainRequest;
    const request = send({ agent: false, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

const policies = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  action: ALLOW
  rules:
  - to: [{ operation: { methods: [GET] } }]
`;

async function running(t: TestContext, admin: (folder: string) => string, text = policies) {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "policies"));
  await writeFile(join(folder, "policies/a.yaml"), text);
  const file = join(folder, "garita.yaml");
  await writeFile(
    file,
    `listeners: [{ name: grpc, protocol: grpc, address: "127.0.0.1:0" }]
policies: { directory: policies }
admin: ${admin(folder)}
`,
  );
  const { service } = await runService(t, file, {
    createSource: ({ directory }) => directorySource(directory),
    prepare: prepareEngine,
    explain: (description, checks) => explainRequest(description as RequestDescription, checks),
  });
  const port = Number(
    service
      .adminAddresses()
      .find((address) => !address.startsWith("unix:"))
      ?.split(":")
      .at(-1),
  );
  return { folder, service, port };
}

const loopback = () => '{ address: "127.0.0.1:0", socket: admin.sock }';

test("the status tells rules, listeners and configuration; probes and metrics answer", async (t) => {
  const { port, service } = await running(t, loopback);
  const get = async (path: string) => ask({ port, path });
  assert.deepEqual(JSON.parse((await get("/healthz")).body), { status: "alive" });
  const ready = await get("/readyz");
  assert.deepEqual([ready.status, JSON.parse(ready.body)], [200, { status: "ready" }]);
  const status = JSON.parse((await get("/v1/status")).body);
  assert.deepEqual(status, JSON.parse(JSON.stringify(service.status())), "the schema leaves something out");
  assert.deepEqual([status.rules.ready, status.rules.active.counts.rules], [true, 1]);
  assert.deepEqual(JSON.parse((await get("/v1/rulesets")).body), status.rules);
  const metrics = await get("/metrics");
  assert.match(metrics.body, new RegExp(`^garita_ruleset_info\\{digest="${status.rules.active.digest}"\\} 1$`, "m"));
  assert.match(metrics.body, /^garita_ruleset_loads_total\{result="activated"\} 1$/m);
  const page = JSON.parse((await get("/v1/openapi.json")).body);
  const documented = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/v1/status",
    "/v1/rulesets",
    "/v1/explain",
    "/v1/pin",
    "/v1/reload",
    "/v1/sync",
    "/v1/unpin",
  ];
  assert.deepEqual(Object.keys(page.paths).sort(), documented.sort());
  for (const header of ["cache-control", "x-content-type-options"]) assert.ok(metrics.headers[header] !== undefined);
});

test("policies with an error: not ready, and the status says where and what", async (t) => {
  const { port } = await running(t, loopback, `${policies}  tpyo: 1\n`);
  const ready = await ask({ port, path: "/readyz" });
  assert.deepEqual([ready.status, JSON.parse(ready.body)], [503, { status: "no rule set in force" }]);
  const { rules } = JSON.parse((await ask({ port, path: "/v1/status" })).body);
  assert.equal(rules.candidate.code, "policy/invalid");
  assert.match(rules.candidate.message, /^a\.yaml:8:3: .*tpyo/);
  assert.deepEqual(rules.candidate.diagnostics[0].start, { line: 8, column: 3 });
});

test("a described request is explained; a wrong description is refused", async (t) => {
  const { port } = await running(t, loopback);
  const explain = (body: string, type = "application/json") =>
    ask({ port, path: "/v1/explain", method: "POST", headers: { "content-type": type } }, body);
  const ok = await explain(
    JSON.stringify({ workload: { namespace: "shop", labels: {} }, request: { method: "POST" } }),
  );
  assert.equal(ok.status, 200, ok.body);
  const { outcome, reason, nearest } = JSON.parse(ok.body);
  assert.deepEqual([outcome, reason], ["deny", "policy/not-allowed"]);
  assert.deepEqual(
    [nearest[0].rule.origin.file, nearest[0].failed[0].field, nearest[0].failed[0].seen],
    ["a.yaml", "methods", "POST"],
  );
  for (const body of ["{", "[]", '{"requst":{}}', '{"tcp":"yes"}', '{"workload":{"port":70000}}']) {
    const refused = await explain(body);
    assert.deepEqual([refused.status, JSON.parse(refused.body).error.code], [400, "admin/request"], body);
  }
  assert.equal((await explain("{}", "text/plain")).status, 415);
  assert.equal((await explain(`{"request":{"path":"${"a".repeat(1_100_000)}"}}`)).status, 413);
});

test("loopback takes no writes and no names of others; the socket takes both and is its owner's", async (t) => {
  const { port, folder, service } = await running(t, loopback);
  const socketPath = join(folder, "admin.sock");
  assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
  const reload = { path: "/v1/reload", method: "POST" };
  assert.equal((await ask({ port, ...reload })).status, 403);
  const codeOf = ({ body }: Asked) => JSON.parse(body).error.code;
  assert.equal(codeOf(await ask({ port, ...reload })), "admin/closed");
  assert.equal(codeOf(await ask({ port, path: "/v1/none" })), "admin/not-found");
  for (const [headers, code] of [
    [{ host: "evil.example" }, "admin/foreign-host"],
    [{ origin: "http://127.0.0.1" }, "admin/foreign-origin"],
  ] as const) {
    const refused = await ask({ port, path: "/v1/status", headers });
    assert.deepEqual([refused.status, codeOf(refused)], [403, code]);
    assert.equal((await ask({ port, path: "/healthz", headers })).status, 403);
    assert.equal((await ask({ port, path: "/v1/none", headers })).status, 403);
  }
  assert.equal((await ask({ port, path: "/v1/none" })).status, 404);
  assert.equal((await ask({ port, path: "/v1/status", method: "DELETE" })).status, 404);
  const done = await ask({ socketPath, ...reload });
  assert.deepEqual([done.status, JSON.parse(done.body)], [200, { ok: true, messages: [] }]);
  await writeFile(join(folder, "policies/a.yaml"), "kind: [");
  const refused = await ask({ socketPath, ...reload });
  assert.equal(refused.status, 422);
  assert.match(JSON.parse(refused.body).messages[0], /^a\.yaml:1:/);
  assert.equal(service.status().rules.current, false);
  assert.equal(service.status().rules.ready, true);
});

test("a token lets write, in its place in a file that may change", async (t) => {
  const folder = await tempFolder(t);
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "sesame\n");
  const { port, service } = await running(t, () => `{ address: "127.0.0.1:0", tokenFile: ${tokenFile} }`);
  const write = (authorization: string, at = port) =>
    ask({ port: at, path: "/v1/reload", method: "POST", headers: { authorization } });
  const wrong = await write("Bearer other");
  assert.deepEqual([wrong.status, JSON.parse(wrong.body).error.code], [401, "admin/credential"]);
  assert.match(String((await write("Bearer other")).headers["www-authenticate"]), /Bearer/);
  assert.equal((await write("Bearer sesame")).status, 200);
  await writeFile(tokenFile, "open\n");
  await service.reload();
  const next = Number(service.adminAddresses()[0]?.split(":").at(-1));
  assert.equal((await write("Bearer sesame", next)).status, 401);
  assert.equal((await write("Bearer open", next)).status, 200);
});

test("over mutual TLS a client that is allowed by name reads and writes", async (t) => {
  const folder = await tempFolder(t);
  const authority = createAuthority(folder, "ca");
  const server = authority.issue("server", "DNS:localhost");
  const operator = authority.issue("operator", "URI:spiffe://example.org/operator");
  const other = authority.issue("other", "URI:spiffe://example.org/other");
  const { port } = await running(
    t,
    () => `{ address: "127.0.0.1:0", tls: { certificateFile: ${server.certificateFile}, keyFile: ${server.keyFile},
      clientCaFile: ${authority.caFile}, allowedClients: ["spiffe://example.org/operator"] } }`,
  );
  const base = { protocol: "https:", host: "localhost", port, ca: authority.ca };
  const { cert, key } = operator;
  assert.equal((await ask({ ...base, cert, key, path: "/v1/status" })).status, 200);
  assert.equal((await ask({ ...base, cert, key, path: "/v1/reload", method: "POST" })).status, 200);
  await assert.rejects(ask({ ...base, cert: other.cert, key: other.key, path: "/healthz" }));
  await assert.rejects(ask({ ...base, path: "/healthz" }));
});

test("the status says what the rules in force ask for and is not enforced as Istio would, however they came", async (t) => {
  const unenforced = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec: { jwtRules: [{ issuer: a }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: plain, namespace: shop }
spec: { selector: { matchLabels: { a: b } }, portLevelMtls: { 8080: { mode: DISABLE } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: asks, namespace: shop }
spec: { action: CUSTOM, provider: { name: p }, rules: [{}] }
`;
  const { port, folder } = await running(t, loopback, unenforced);
  const { rules, warnings } = JSON.parse((await ask({ port, path: "/v1/status" })).body);
  const wanted = [
    "action CUSTOM: the provider does not resolve, requests that match are denied: shop/asks (a.yaml:11)",
    "mode DISABLE: where Envoy terminates TLS all the same, identities count as sent: shop/plain (a.yaml:6)",
  ];
  const issuer =
    "issuer a: no keys, its tokens are refused (the discovery document: expected `http://` or `https://` with a host)";
  const compiler = [
    /^policies: a\.yaml:4:\d+: .* \[lint\/issuer-not-discoverable\]$/,
    /^policies: a\.yaml:\d+:\d+: .* \[lint\/mtls-disabled\]$/,
    /^policies: a\.yaml:\d+:\d+: .* \[lint\/provider-unknown\]$/,
  ];
  for (const [n, wanted] of compiler.entries()) assert.match(warnings[n], wanted);
  assert.deepEqual(warnings.slice(3), [...wanted, issuer]);
  assert.deepEqual(
    rules.active.diagnostics.map(({ code }: { code: string }) => code),
    ["lint/issuer-not-discoverable", "lint/mtls-disabled", "lint/provider-unknown"],
  );
  const metrics = (await ask({ port, path: "/metrics" })).body;
  assert.match(metrics, /^garita_ruleset_diagnostics\{severity="warning"\} 3$/m);
  assert.match(metrics, /^garita_ruleset_diagnostics\{severity="note"\} 0$/m);
  const compiled = await buildFrom(() => readDirectory(join(folder, "policies")));
  assert.ok(compiled.kind === "built");
  assert.deepEqual(ruleWarnings(prepareEngine(compiled.bytes, compiled.digest).ruleSet), wanted);
});

test("the status warns of policies and of a configuration that are not the newest, for as long as they are not", async (t) => {
  const { service, folder } = await running(t, loopback);
  const file = join(folder, "garita.yaml");
  const config = await readFile(file, "utf8");
  assert.deepEqual(service.status().warnings, []);
  await writeFile(join(folder, "policies/a.yaml"), "kind: [");
  await writeFile(file, "listeners: 1\n");
  await service.reload();
  const { warnings, configuration } = service.status();
  const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z: `;
  assert.equal(warnings.length, 2);
  assert.match(
    warnings[0]!,
    new RegExp(`^older policies are in force, the newest are refused since ${time}a\\.yaml:1:`),
  );
  assert.match(warnings[0]!, / \[policy\/invalid\]$/);
  assert.match(warnings[1]!, new RegExp(`^the older configuration is in force, the newest was refused at ${time}`));
  assert.ok(warnings[1]!.includes(configuration.fault!.messages[0]!));
  await writeFile(join(folder, "policies/a.yaml"), policies);
  await writeFile(file, config);
  await service.reload();
  assert.deepEqual(service.status().warnings, []);
});

test("of many warnings of the compiler the status tells ten and how many more there are", async (t) => {
  const ask = (name: number) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p${name}, namespace: shop }
spec: { action: CUSTOM, provider: { name: none }, rules: [{}] }
---
`;
  const { service } = await running(t, loopback, Array.from({ length: 12 }, (_none, i) => ask(i)).join(""));
  const told = service.status().warnings.filter((line) => line.startsWith("policies: "));
  assert.equal(told.length, 11);
  assert.equal(told.at(-1), "policies: 2 more");
});
