import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { httpListener, tcpListener } from "#envoy-configs/listeners";
import { networkExtAuthz } from "#envoy-configs/network-ext-authz";
import type { PolicyObject } from "#test/support/cases/case";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { exchange } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream, startTcpEcho } from "#test/support/envoy/echo-upstream";
import { connectionManager } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { linesOf, type Outcome, outcomeOf, type Sent } from "#test/support/envoy/outcome";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import type { Issuer } from "#test/support/issuer/issuer";
import { publishedKeys } from "#test/support/issuer/published-keys";
import { startIssuer } from "#test/support/issuer/start-issuer";
import { renderFilters } from "#test/support/jwt-authn/render";
import { type AskedProviders, startAskedProviders } from "#test/support/providers/asked-providers";
import type { CaseProviderAnswer } from "#test/support/providers/case-answer";
import { type IstioProviderOptions, istioExtAuthz } from "#test/support/providers/istio-filter";
import { until } from "#test/support/until";

/**
 * CUSTOM rules through a real Envoy: it asks the service, which asks a provider, and what the provider sets is what tokens, policies and
 * the upstream see. The judge is a listener of the same Envoy with the filters that Istio generates for the same policies, which asks the
 * same provider itself.
 */
const free = { address: "127.0.0.1", port: 0 };
const told = ["x-tier", "x-user", "x-edit", "authorization"];

interface Asked {
  readonly kind: "http" | "grpc";
  /** Who is asked: one of this test's providers, or a Garita that is somebody's provider. */
  readonly by: "http" | "grpc" | "chain-http" | "chain-grpc";
  readonly options: IstioProviderOptions;
}

const lists = {
  includeRequestHeadersInCheck: ["x-ask", "x-tier"],
  headersToUpstreamOnAllow: told,
  headersToDownstreamOnDeny: ["x-why", "set-cookie", "location"],
};

/** Providers by name; each has a workload of that name all of whose requests ask it. */
const asked: Readonly<Record<string, Asked>> = {
  http: { kind: "http", by: "http", options: lists },
  grpc: { kind: "grpc", by: "grpc", options: {} },
  "http-body": {
    kind: "http",
    by: "http",
    options: { ...lists, includeRequestBodyInCheck: { maxRequestBytes: 8 } },
  },
  "grpc-body": {
    kind: "grpc",
    by: "grpc",
    options: { includeRequestBodyInCheck: { maxRequestBytes: 8, packAsBytes: true } },
  },
  "grpc-part": {
    kind: "grpc",
    by: "grpc",
    options: { includeRequestBodyInCheck: { maxRequestBytes: 8, allowPartialMessage: true } },
  },
  "chain-http": { kind: "http", by: "chain-http", options: { ...lists, includeRequestHeadersInCheck: ["x-open"] } },
  "chain-grpc": { kind: "grpc", by: "chain-grpc", options: {} },
};
const names = Object.keys(asked);
const bodyBytes = 9;

/** What the providers answer to a request that says so in `x-ask`. */
const answers: Readonly<Record<string, CaseProviderAnswer>> = {
  allow: {},
  gold: { headers: [["x-tier", "gold"]] },
  mallory: {
    headers: [
      ["x-tier", "gold"],
      ["x-user", "mallory"],
    ],
  },
  edit: {
    headers: [
      ["x-tier", "gold"],
      ["x-edit", "of the provider"],
    ],
  },
  deny: { status: 403, body: "not you", headers: [["x-why", "because"]] },
  redirect: {
    status: 302,
    headers: [
      ["location", "https://login.example/?from=%2Forders"],
      ["set-cookie", "a=1; Path=/"],
      ["set-cookie", "b=2"],
    ],
  },
  unavailable: { status: 503, body: "later" },
  teapot: { status: 418, body: "short and stout \u00e9" },
  hang: { hang: 3 },
  reset: { reset: true },
};

const closing = new Closing();
const found = await findEnvoy();
let issuer: Issuer;
let token: string;
let providers: AskedProviders;
let garita: RunningGarita;
let chain: RunningGarita;
let envoy: RunningEnvoy;

const object = (kind: string, namespace: string, name: string, spec: unknown): PolicyObject => ({
  apiVersion: "security.istio.io/v1",
  kind,
  metadata: { name, namespace },
  spec,
});
const when = (key: string, ...values: string[]) => ({ when: [{ key, values }] });

function policiesOf(namespace: string, jwks: string): readonly PolicyObject[] {
  return [
    object("AuthorizationPolicy", namespace, "ask", {
      action: "CUSTOM",
      provider: { name: namespace },
      rules: [{}],
    }),
    object("RequestAuthentication", namespace, "tokens", {
      jwtRules: [{ issuer: issuer.issuer, jwks, outputClaimToHeaders: [{ header: "x-subject", claim: "sub" }] }],
    }),
    object("AuthorizationPolicy", namespace, "readers", {
      action: "ALLOW",
      rules: [
        when("request.headers[x-tier]", "gold"),
        { from: [{ source: { requestPrincipals: [`${issuer.issuer}/*`] } }] },
        when("request.headers[x-open]", "1"),
      ],
    }),
    object("AuthorizationPolicy", namespace, "never", {
      action: "DENY",
      rules: [when("request.headers[x-user]", "mallory")],
    }),
  ];
}

/** What the Garita that is asked as a provider is told: tokens become headers, and the rest is refused. */
function chainPolicies(jwks: string): readonly PolicyObject[] {
  return [
    object("RequestAuthentication", "chain", "tokens", {
      jwtRules: [
        {
          issuer: issuer.issuer,
          jwks,
          outputClaimToHeaders: [
            { header: "x-user", claim: "sub" },
            { header: "x-tier", claim: "tier" },
          ],
        },
      ],
    }),
    object("AuthorizationPolicy", "chain", "readers", {
      action: "ALLOW",
      rules: [
        { from: [{ source: { requestPrincipals: [`${issuer.issuer}/*`] } }] },
        when("request.headers[x-open]", "1"),
      ],
    }),
  ];
}

const text = (objects: readonly unknown[]) => objects.map((each) => JSON.stringify(each)).join("\n---\n");

/** A service with one port, where it is. */
const entry = (name: string, protocol: string, port: number) => ({
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name, namespace: "providers" },
  spec: {
    hosts: [`${name}.providers.example`],
    ports: [{ number: 9000, name: "asked", protocol }],
    resolution: "STATIC",
    endpoints: [{ address: "127.0.0.1", ports: { asked: port } }],
  },
});

const mesh = () => ({
  extensionProviders: Object.entries(asked).map(([name, { kind, by, options }]) => ({
    name,
    [kind === "http" ? "envoyExtAuthzHttp" : "envoyExtAuthzGrpc"]: {
      service: `providers/${by}.providers.example`,
      port: 9000,
      ...options,
    },
  })),
});

before(async () => {
  if (!found.ok) return;
  issuer = closing.add(await startIssuer());
  token = await issuer.token({ sub: "alice", tier: "gold" });
  const jwks = await publishedKeys(issuer);
  const upstream = closing.add(await startEchoUpstream());
  const tcp = closing.add(await startTcpEcho());
  providers = closing.add(
    await startAskedProviders({ ...answers, token: { headers: [["authorization", `Bearer ${token}`]] } }),
  );

  const unset = { address: "127.0.0.1:0", peerIdentity: "none" };
  const ofChain = { ...unset, workload: { namespace: "chain", labels: {} } };
  const chainFolder = closing.add(await garitaFolder({ "chain.yaml": text(chainPolicies(jwks)) }));
  chain = closing.add(
    await runGarita(chainFolder, {
      listeners: [
        { ...ofChain, name: "grpc", protocol: "grpc" },
        { ...ofChain, name: "http", protocol: "http", upstreamHeaders: ["x-user", "x-tier"] },
      ],
    }),
  );
  const portOf = (listener: string) => {
    const endpoint = chain.endpoint(listener);
    return "port" in endpoint ? endpoint.port : 0;
  };
  const ports = { ...providers.ports, "chain-http": portOf("http"), "chain-grpc": portOf("grpc") };
  const services = Object.entries(ports).map(([name, port]) =>
    entry(name, name.endsWith("http") ? "HTTP" : "GRPC", port),
  );
  const policies = names.flatMap((name) => policiesOf(name, jwks));
  const connections = object("AuthorizationPolicy", "tcp", "ask", {
    action: "CUSTOM",
    provider: { name: "grpc" },
    rules: [{}],
  });
  const folder = closing.add(
    await garitaFolder({
      "mesh.yaml": JSON.stringify(mesh()),
      "services.yaml": text(services),
      "all.yaml": text([...policies, connections]),
    }),
  );
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { ...unset, name: "envoy", protocol: "grpc" },
        { ...unset, name: "tcp", protocol: "grpc", workload: { namespace: "tcp", labels: {} } },
        ...names.map((namespace) => ({
          ...unset,
          name: namespace,
          protocol: "http",
          workload: { namespace, labels: {} },
          attributeHeaders: true,
          upstreamHeaders: [...told, "x-subject"],
        })),
      ],
    }),
  );
  const listener = (door: string, name: string, authorization: ReturnType<typeof httpExtAuthz>) =>
    httpListener({
      name: `${door}-${name}`,
      endpoint: free,
      authorization,
      ...(door === "grpc"
        ? { settings: httpExtAuthzSettings({ "garita.dev/namespace": name, "garita.dev/labels": "{}" }) }
        : {}),
      upstream: "orders",
    });
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        ...names.flatMap((name) => [
          listener("grpc", name, httpExtAuthz({ cluster: "garita", bodyBytes })),
          listener(
            "http",
            name,
            httpServiceExtAuthz({ cluster: name, bodyBytes, upstreamHeaders: [...told, "x-subject"] }),
          ),
          listener(
            "istio",
            name,
            istioExtAuthz(asked[name]!.kind, asked[name]!.options, `provider-${asked[name]!.by}`, "any.example"),
          ),
        ]),
        tcpListener({
          name: "tcp",
          endpoint: free,
          authorization: networkExtAuthz({ cluster: "tcp", statPrefix: "tcp" }),
          upstream: "bytes",
        }),
      ],
      clusters: [
        cluster({ name: "garita", endpoint: garita.endpoint("envoy"), protocol: "http2" }),
        cluster({ name: "tcp", endpoint: garita.endpoint("tcp"), protocol: "http2" }),
        ...names.map((name) => cluster({ name, endpoint: garita.endpoint(name), protocol: "http1" })),
        ...Object.entries(ports).map(([name, port]) =>
          cluster({
            name: `provider-${name}`,
            endpoint: { ...free, port },
            protocol: name.endsWith("http") ? "http1" : "http2",
          }),
        ),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
        cluster({ name: "bytes", endpoint: { ...free, port: tcp.port }, protocol: "http1" }),
      ],
    }),
  );
  for (const name of names) {
    for (const door of ["grpc", "http", "istio"]) {
      const manager = connectionManager(config, `${door}-${name}`);
      manager["delayed_close_timeout"] = "0s";
      manager["access_log"] = [decisionLog("envoy.filters.http.ext_authz")];
      if (door !== "istio") continue;
      const [custom, router] = manager["http_filters"] as JsonObject[];
      manager["http_filters"] = [custom!, ...renderFilters({ policies: policiesOf(name, jwks) }), router!];
    }
  }
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

type At = (door: "istio" | "grpc" | "http") => Promise<Outcome>;
const through =
  (name: string, sent: Sent): At =>
  (door) =>
    outcomeOf(envoy.port(`${door}-${name}`), sent);

/** Asks at all three doors; what came of it at Istio's. */
async function sameEverywhere(name: string, sent: Sent, overHttp: "same" | "differs" = "same"): Promise<Outcome> {
  const at = through(name, sent);
  const [judged, overGrpc, overService] = await Promise.all([at("istio"), at("grpc"), at("http")]);
  const title = `${name}: ${JSON.stringify(sent).slice(0, 200)}`;
  assert.deepEqual(overGrpc, judged, `over gRPC: ${title}`);
  if (overHttp === "same") assert.deepEqual(overService, judged, `over HTTP: ${title}`);
  return judged;
}

const ask = (...answer: string[]): Sent => ({ headers: answer.map((each): [string, string] => ["x-ask", each]) });

for (const name of ["http", "grpc"]) {
  test(`${name}: what the provider sets is seen by policies, by tokens and by the upstream`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const allowed = await sameEverywhere(name, ask("gold"));
    assert.deepEqual([allowed.to, linesOf(allowed, "x-tier")], ["upstream", ["gold"]]);
    const byToken = await sameEverywhere(name, ask("token"));
    assert.deepEqual(
      [byToken.to, linesOf(byToken, "x-subject"), linesOf(byToken, "authorization")],
      ["upstream", ["alice"], []],
    );
    const edited = await sameEverywhere(name, {
      headers: [...ask("edit").headers!, ["x-edit", "of the client"], ["x-edit", "2"]],
    });
    assert.deepEqual([edited.to, linesOf(edited, "x-edit")], ["upstream", ["of the provider"]]);
    const hurried = await sameEverywhere(name, {
      headers: [...ask("gold").headers!, ["x-envoy-expected-rq-timeout-ms", "0"]],
    });
    assert.equal(hurried.to, "upstream");
    assert.equal((await sameEverywhere(name, ask("mallory"))).to, "client");
    assert.equal((await sameEverywhere(name, ask("allow"))).to, "client");
    assert.equal(
      (await sameEverywhere(name, { headers: [...ask("allow").headers!, ["x-tier", "gold"]] })).to,
      "upstream",
    );
  });

  test(`${name}: the provider's denial reaches the client as the provider wrote it`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    for (const answer of ["deny", "redirect", "teapot"]) {
      const { status } = answers[answer]!;
      for (const by of ["http1", "h2"] as const) {
        const outcome = await sameEverywhere(name, { by, ...ask(answer) });
        assert.deepEqual([outcome.to, outcome.to === "client" && outcome.status], ["client", status]);
      }
      await sameEverywhere(name, { by: "grpc", ...ask(answer) });
    }
    const redirect = await sameEverywhere(name, ask("redirect"));
    assert.deepEqual(linesOf(redirect, "set-cookie"), ["a=1; Path=/", "b=2"]);
    assert.equal(linesOf(redirect, "location").length, 1);
  });

  test(`${name}: a status of the provider that Envoy would take for a failure`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const judged = await sameEverywhere(name, ask("unavailable"), "differs");
    const [status, body] = name === "grpc" ? [503, "later"] : [403, ""];
    assert.deepEqual(judged, {
      to: "client",
      status,
      headers: name === "grpc" ? ["content-type: text/plain"] : [],
      body,
    });
    const overHttp = await through(name, ask("unavailable"))("http");
    assert.deepEqual([overHttp.to === "client" && overHttp.status, overHttp.body], [403, body]);
    assert.deepEqual(linesOf(overHttp, "x-garita-status"), name === "grpc" ? ["503"] : []);
  });

  test(`${name}: a provider that is slow or resets is answered for before Envoy gives up`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    for (const answer of ["reset", "hang"]) {
      for (const door of ["grpc", "http"] as const) {
        const mark = `${name} ${door} ${answer}`;
        const headers: [string, string][] = [
          ...ask(answer).headers!.map(([n, v]): [string, string] => [n, v]),
          ["x-case", mark],
        ];
        const outcome = await through(name, { headers })(door);
        assert.deepEqual([outcome.to, outcome.to === "client" && outcome.status], ["client", 403], mark);
        const [line] = await loggedDecisions(envoy, (logged) => logged.case === mark);
        assert.equal(line?.details, "ext_authz_denied", mark);
        if (door === "grpc") assert.equal(line?.reason, "custom/failed", mark);
      }
    }
  });
}

for (const kind of ["http", "grpc"]) {
  test(`${kind}: bodies go to the provider, and those that are too long are refused`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const name = `${kind}-body`;
    const seen = providers.takeBodies;
    for (const [body, reaches] of [
      ["12345678", true],
      ["\xff\0 raw", true],
      ["123456789", false],
      ["long".repeat(1000), false],
    ] as const) {
      seen();
      const outcome = await sameEverywhere(name, { method: "POST", body, ...ask("gold") });
      assert.deepEqual([outcome.to, seen()], reaches ? ["upstream", [body, body, body]] : ["client", []]);
      if (outcome.to === "upstream") assert.equal(outcome.body, body);
      else assert.deepEqual([outcome.status, outcome.body], [413, "Payload Too Large"]);
    }
    if (kind === "http") return;
    const part = await sameEverywhere("grpc-part", { method: "POST", body: "123456789", ...ask("gold") });
    assert.deepEqual([part.to, part.body, seen()], ["upstream", "123456789", ["12345678", "12345678", "12345678"]]);
  });
}

test("a provider that is killed is answered for, and found again when it is back", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const both = ["http", "grpc"] as const;
  const statuses = () =>
    Promise.all(
      both.map(async (name) => {
        const outcome = await outcomeOf(envoy.port(`grpc-${name}`), ask("gold"));
        return outcome.to === "upstream" ? 200 : outcome.status;
      }),
    );
  assert.deepEqual(await statuses(), [200, 200]);
  await providers.stop();
  assert.deepEqual(await statuses(), [403, 403]);
  await garita.denial(({ reason, detail }) => reason === "custom/failed" && /^provider `http`: /.test(detail ?? ""));
  const told = (await garita.status()).providers ?? [];
  assert.deepEqual(told.map(({ name }) => name).toSorted(), names.toSorted());
  for (const name of both) assert.ok(told.find((each) => each.name === name)?.lastFault, name);
  await providers.start();
  await until(async () => (await statuses()).every((status) => status === 200), "the providers found again");
});

for (const name of ["chain-http", "chain-grpc"]) {
  test(`${name}: a Garita that asks a Garita: the claims that the one finds are headers to the policies of the other`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const bearer: [string, string] = ["authorization", `Bearer ${token}`];
    const allowed = await sameEverywhere(name, { headers: [bearer, ["x-user", "forged"], ["x-tier", "forged"]] });
    assert.deepEqual(
      [allowed.to, linesOf(allowed, "x-user"), linesOf(allowed, "x-tier"), linesOf(allowed, "authorization")],
      ["upstream", ["alice"], ["gold"], []],
    );
    const nobody = await sameEverywhere(name, {});
    assert.deepEqual([nobody.to, nobody.body], ["client", "RBAC: access denied"]);
    const bad = await sameEverywhere(name, { headers: [["authorization", "Bearer a.b.c"]] });
    assert.deepEqual([bad.to === "client" && bad.status, linesOf(bad, "www-authenticate").length], [401, 1]);
    assert.equal(
      (await sameEverywhere(name, { by: "grpc", headers: [["authorization", "Bearer a.b.c"]] })).to,
      "client",
    );
    const open = await sameEverywhere(name, {
      headers: [
        ["x-open", "1"],
        ["x-tier", "forged"],
      ],
    });
    assert.deepEqual([open.to, linesOf(open, "x-tier")], ["upstream", []]);
    await chain.denial(({ reason }) => reason === "authentication/refused");
  });
}

test("a connection asks its provider too", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const echoed = () => exchange(envoy.port("tcp"), "bytes", { until: (all) => all === "bytes" });
  assert.equal(await echoed(), "bytes");
  providers.answerConnections({ status: 403 });
  assert.equal(await echoed(), "");
  providers.answerConnections({});
  assert.equal(await echoed(), "bytes");
});
