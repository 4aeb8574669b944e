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
import { exchange } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream, startTcpEcho } from "#test/support/envoy/echo-upstream";
import { connectionManager } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { authority, linesOf, type Outcome, outcomeOf, type Sent } from "#test/support/envoy/outcome";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import type { Issuer } from "#test/support/issuer/issuer";
import { publishedKeys } from "#test/support/issuer/published-keys";
import { shownTokens } from "#test/support/issuer/shown-tokens";
import { startOidcProvider } from "#test/support/issuer/start-oidc-provider";
import { renderFilters } from "#test/support/jwt-authn/render";

/**
 * Tokens of a real identity provider, through a real Envoy that asks the real service over both doors. The judge stands beside them: a
 * listener of the same Envoy with the filters that Istio generates for the same policies.
 */
const free = { address: "127.0.0.1", port: 0 };
const audience = "https://shop.example/api";

/** How the workloads of this test want their tokens. */
const workloads: Readonly<Record<string, JsonObject>> = {
  strip: {
    outputClaimToHeaders: [
      { header: "x-user", claim: "sub" },
      { header: "X-Tier", claim: "plan.tier" },
      { header: "x-roles", claim: "roles" },
    ],
    outputPayloadToHeader: "x-payload",
  },
  keep: { forwardOriginalToken: true, outputClaimToHeaders: [{ header: "x-user", claim: "sub" }] },
  places: {
    fromHeaders: [{ name: "x-token", prefix: "Token " }, { name: "x-bare" }],
    fromParams: ["token"],
    fromCookies: ["session"],
    outputClaimToHeaders: [{ header: "x-user", claim: "sub" }],
  },
};
const outputs = ["x-user", "X-Tier", "x-roles", "x-payload"];

function policiesOf(namespace: string, issuer: string): readonly PolicyObject[] {
  const object = (kind: string, name: string, spec: unknown): PolicyObject => ({
    apiVersion: "security.istio.io/v1",
    kind,
    metadata: { name, namespace },
    spec,
  });
  const when = (key: string, ...values: string[]) => ({ when: [{ key, values }] });
  return [
    object("RequestAuthentication", "tokens", {
      jwtRules: [{ issuer, audiences: [audience], ...workloads[namespace] }],
    }),
    object("AuthorizationPolicy", "readers", {
      action: "ALLOW",
      rules: [
        { from: [{ source: { requestPrincipals: [`${issuer}/*`] } }], ...when("request.auth.claims[scope]", "read") },
        when("request.headers[x-tier]", "gold"),
        when("request.headers[x-open]", "1"),
      ],
    }),
    object("AuthorizationPolicy", "never", {
      action: "DENY",
      rules: [
        when("request.auth.claims[roles]", "banned"),
        {
          when: [
            { key: "request.headers[x-if-token]", values: ["deny"] },
            { key: "request.headers[authorization]", values: ["*"] },
          ],
        },
      ],
    }),
  ];
}

const closing = new Closing();
const found = await findEnvoy();
let issuer: Issuer;
let garita: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  issuer = closing.add(await startOidcProvider());
  const upstream = closing.add(await startEchoUpstream());
  const tcp = closing.add(await startTcpEcho());
  const names = Object.keys(workloads);
  const all = names.flatMap((name) => policiesOf(name, issuer.issuer));
  const connections = [
    { ...policiesOf("tcp-open", issuer.issuer)[0]!, metadata: { name: "tokens", namespace: "tcp-open" } },
    ...policiesOf("tcp-closed", issuer.issuer),
  ];
  const documents = [...all, ...connections].map((each) => JSON.stringify(each));
  const folder = closing.add(await garitaFolder({ "all.yaml": documents.join("\n---\n") }));
  const unset = { address: "127.0.0.1:0", peerIdentity: "none" };
  const fixed = (namespace: string) => ({ ...unset, workload: { namespace, labels: {} } });
  garita = closing.add(
    await runGarita(folder, {
      jwt: { caFile: issuer.caFile },
      listeners: [
        { ...unset, name: "grpc", protocol: "grpc" },
        ...["tcp-open", "tcp-closed"].map((name) => ({ ...fixed(name), name, protocol: "grpc" })),
        ...names.map((name) => ({
          ...fixed(name),
          name,
          protocol: "http",
          attributeHeaders: true,
          upstreamHeaders: outputs,
        })),
        { ...fixed("strip"), name: "untold", protocol: "http", attributeHeaders: true, upstreamHeaders: ["x-user"] },
      ],
    }),
  );
  const asked = [...names, "untold"];
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        ...names.map((name) =>
          httpListener({
            name: `grpc-${name}`,
            endpoint: free,
            authorization: httpExtAuthz({ cluster: "garita" }),
            settings: httpExtAuthzSettings({ "garita.dev/namespace": name, "garita.dev/labels": "{}" }),
            upstream: "orders",
          }),
        ),
        ...["http", "istio"].flatMap((door) =>
          asked.map((name) =>
            httpListener({
              name: `${door}-${name}`,
              endpoint: free,
              authorization: httpServiceExtAuthz({ cluster: name, upstreamHeaders: outputs }),
              upstream: "orders",
            }),
          ),
        ),
        ...["tcp-open", "tcp-closed"].map((name) =>
          tcpListener({
            name,
            endpoint: free,
            authorization: networkExtAuthz({ cluster: name, statPrefix: name }),
            upstream: "bytes",
          }),
        ),
      ],
      clusters: [
        ...["tcp-open", "tcp-closed"].map((name) =>
          cluster({ name, endpoint: garita.endpoint(name), protocol: "http2" }),
        ),
        cluster({ name: "garita", endpoint: garita.endpoint("grpc"), protocol: "http2" }),
        ...asked.map((name) => cluster({ name, endpoint: garita.endpoint(name), protocol: "http1" })),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
        cluster({ name: "bytes", endpoint: { ...free, port: tcp.port }, protocol: "http1" }),
      ],
    }),
  );
  // A client that reads to the end need not wait for a denial's.
  for (const door of ["grpc", "http", "istio"]) {
    for (const name of names) connectionManager(config, `${door}-${name}`)["delayed_close_timeout"] = "0s";
  }
  const jwks = await publishedKeys(issuer);
  for (const name of names) {
    // istiod fetches keys itself and writes them into what it sends to Envoy.
    const policies = policiesOf(name, issuer.issuer).map((each) => withKeys(each, jwks));
    const manager = connectionManager(config, `istio-${name}`);
    const [, router] = manager["http_filters"] as JsonObject[];
    manager["http_filters"] = [...renderFilters({ policies }), router!];
  }
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

function withKeys(policy: PolicyObject, jwks: string): PolicyObject {
  if (policy.kind !== "RequestAuthentication") return policy;
  const { jwtRules } = policy.spec as { readonly jwtRules: readonly object[] };
  return { ...policy, spec: { jwtRules: jwtRules.map((rule) => ({ ...rule, jwks })) } };
}

const bearer = (token: string): readonly [string, string] => ["authorization", `Bearer ${token}`];

/** What is expected of a request at all doors; the judge must say so too. */
type Expected = "upstream" | number;

interface Case extends Sent {
  readonly name: string;
  readonly to?: keyof typeof workloads;
  readonly expected: Expected;
  /**
   * The target as the upstream gets it from us, without the token. Envoy's own filter sorts and decodes what else is in the query. The HTTP
   * service cannot change the target: it denies.
   */
  readonly target?: string;
  /** Several tokens make several lines of a header. Over gRPC they are joined by commas; the HTTP service denies. */
  readonly severalLines?: true;
}

function casesOf(tokens: Readonly<Record<string, string>>): readonly Case[] {
  const { good, bare, accented, expired } = tokens as Readonly<
    Record<"good" | "bare" | "accented" | "expired", string>
  >;
  const forged = outputs.map((name): [string, string] => [name, "gold"]);
  const denied = (name: string, expected: number): Case => ({ name, headers: [bearer(tokens[name]!)], expected });
  const open: [string, string] = ["x-open", "1"];
  return [
    { name: "a good token", headers: [bearer(good)], expected: "upstream" },
    { name: "a good token, kept", to: "keep", headers: [bearer(good)], expected: "upstream" },
    { name: "claims beyond ASCII", headers: [bearer(accented)], expected: "upstream" },
    { name: "a token with fewer claims", headers: [bearer(bare)], expected: "upstream" },
    { name: "no token", expected: 403 },
    { name: "no token where none is needed", headers: [open], expected: "upstream" },
    denied("banned", 403),
    denied("unread", 403),
    denied("expired", 401),
    denied("early", 401),
    denied("forOthers", 403),
    denied("ofOthers", 401),
    denied("wrongKey", 401),
    denied("unknownKid", 401),
    denied("noKid", 401),
    denied("none", 401),
    denied("noneSigned", 401),
    denied("changed", 401),
    denied("garbage", 401),
    denied("dots", 401),
    { name: "a bad token where none is needed", headers: [open, bearer(expired)], expected: 401 },
    { name: "forged outputs and no token", headers: forged, expected: 403 },
    { name: "forged outputs where no token is needed", headers: [...forged, open], expected: "upstream" },
    { name: "forged outputs and a good token", headers: [...forged, ...forged, bearer(good)], expected: "upstream" },
    {
      name: "forged outputs and a token without such claims",
      headers: [...forged, bearer(bare)],
      expected: "upstream",
    },
    { name: "headers that are no outputs here", to: "keep", headers: forged, expected: "upstream" },
    {
      name: "a rule about the header that the token stood in",
      headers: [["x-if-token", "deny"], bearer(good)],
      expected: "upstream",
    },
    {
      name: "the same where the token is kept",
      to: "keep",
      headers: [["x-if-token", "deny"], bearer(good)],
      expected: 403,
    },
    { name: "two tokens", headers: [bearer(good), bearer(bare)], expected: 401 },
    { name: "no bearer", headers: [["authorization", `Basic ${good}`]], expected: 403 },
    {
      name: "a parameter",
      path: `/a/b?q=%20x&access_token=${good}&r=a%2Fb;c&&=`,
      expected: "upstream",
      target: "/a/b?q=%20x&r=a%2Fb;c&&=",
    },
    { name: "a parameter first", path: `/a?access_token=${good}&q=1`, expected: "upstream", target: "/a?q=1" },
    { name: "a parameter alone", path: `/a?access_token=${good}`, expected: "upstream", target: "/a" },
    { name: "a parameter, kept", to: "keep", path: `/a?x=1&access_token=${good}&y`, expected: "upstream" },
    { name: "a bad parameter", path: `/a?access_token=${expired}`, expected: 401 },
    {
      name: "a parameter and a header",
      path: `/a?access_token=${good}`,
      headers: [bearer(good)],
      expected: "upstream",
      severalLines: true,
      target: "/a",
    },
    {
      name: "a parameter of another name, twice",
      to: "places",
      path: `/p?b=2&token=${good}&token=2&c=%41`,
      expected: "upstream",
      target: "/p?b=2&c=%41",
    },
    { name: "a header with a prefix", to: "places", headers: [["x-token", `Token ${good}`]], expected: "upstream" },
    { name: "a header without one", to: "places", headers: [["x-bare", good]], expected: "upstream" },
    {
      name: "two headers",
      to: "places",
      headers: [
        ["x-bare", good],
        ["x-token", `Token ${bare}`],
      ],
      expected: "upstream",
      severalLines: true,
    },
    {
      name: "two headers, one of them bad",
      to: "places",
      headers: [
        ["x-bare", good],
        ["x-token", `Token ${expired}`],
      ],
      expected: 401,
    },
    { name: "a cookie", to: "places", headers: [["cookie", `a=1; session=${good}; b=2`]], expected: "upstream" },
    { name: "a bad cookie", to: "places", headers: [["cookie", `session=${expired}`]], expected: 401 },
    { name: "where no token is looked for", to: "places", headers: [bearer(good)], expected: 403 },
    {
      name: "a preflight with a bad token",
      method: "OPTIONS",
      headers: [
        ["origin", "https://a.example"],
        ["access-control-request-method", "GET"],
        open,
        bearer(expired),
        ...forged,
      ],
      expected: "upstream",
    },
    { name: "a body", method: "POST", body: "all of \xe9 it", headers: [bearer(good)], expected: "upstream" },
  ];
}

for (const by of ["http1", "h2", "grpc"] as const) {
  test(`what becomes of tokens over ${by}, as Istio's filters have it`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    for (const { name, to = "strip", expected, target, severalLines, ...sent } of casesOf(await shownTokens(issuer))) {
      const at = (door: string) => outcomeOf(envoy.port(`${door}-${to}`), { by, ...sent });
      const [judged, overGrpc, overHttp] = await Promise.all([at("istio"), at("grpc"), at("http")]);
      assert.equal(statusOf(judged), wanted(by, expected), `Istio: ${name}`);
      const here = {
        ...judged,
        ...(target === undefined ? {} : { target }),
        ...(severalLines === undefined ? {} : { headers: joined(judged.headers) }),
      };
      assert.deepEqual(overGrpc, here, `over gRPC: ${name}`);
      if (target === undefined && severalLines === undefined) {
        assert.deepEqual(overHttp, judged, `over HTTP: ${name}`);
      } else {
        assert.equal(statusOf(overHttp), wanted(by, 403), `over HTTP: ${name}`);
        await garita.denial(({ reason, listener }) => reason === "answer/not-carried" && listener === to);
      }
    }
  });
}

test("over HTTP only headers that the listener was told of can be set; others are refused, and forged ones taken away", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const ask = (...headers: [string, string][]) => outcomeOf(envoy.port("http-untold"), { headers });
  const token = await issuer.token({ plan: { tier: "gold" } });
  assert.deepEqual(await ask(["authorization", `Bearer ${token}`]), {
    to: "client",
    status: 403,
    headers: ["content-type: text/plain"],
    body: "RBAC: access denied",
  });
  await garita.denial(
    ({ listener, detail }) => listener === "untold" && /^header x-\S+ .* `upstreamHeaders` lack it$/.test(detail ?? ""),
  );
  const open = await ask(["x-open", "1"], ...outputs.map((name): [string, string] => [name, "gold"]));
  assert.deepEqual([open.to, open.headers], ["upstream", [`host: ${authority}`, "x-open: 1"]]);
});

test("RequestAuthentication changes nothing for TCP; a rule about tokens admits no connection", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const echoed = (name: string) => exchange(envoy.port(name), "bytes", { until: (all) => all === "bytes" });
  assert.deepEqual([await echoed("tcp-open"), await echoed("tcp-closed")], ["bytes", ""]);
});

test("no token reaches the log, whole or in part", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const tokens = await shownTokens(issuer);
  for (const one of casesOf(tokens)) {
    const { name, to = "strip", expected, target, severalLines, ...sent } = one;
    for (const door of ["grpc", "http"]) await outcomeOf(envoy.port(`${door}-${to}`), sent);
  }
  await outcomeOf(envoy.port("grpc-strip"), { path: "/the-last" });
  await garita.denial(({ path }) => path === "/the-last");
  const log = garita.log();
  assert.match(log, /"reason":"authentication\/refused"/);
  for (const [name, token] of Object.entries(tokens)) {
    for (const part of token.split(".").filter((each) => each.length > 8)) assert.ok(!log.includes(part), name);
  }
});

/** A gRPC client is told with the codes of gRPC: UNAUTHENTICATED and PERMISSION_DENIED. */
function wanted(by: Sent["by"], expected: Expected): Expected {
  if (by !== "grpc" || expected === "upstream") return expected;
  return expected === 401 ? 16 : 7;
}

function statusOf(outcome: Outcome): Expected {
  if (outcome.to === "upstream") return "upstream";
  const [code] = linesOf(outcome, "grpc-status");
  return code === undefined ? outcome.status : Number(code);
}

/** With the lines of one name as one (RFC 9110 §5.3). */
function joined(lines: readonly string[]): readonly string[] {
  const values = new Map<string, string>();
  for (const line of lines) {
    const name = line.slice(0, line.indexOf(": "));
    const value = line.slice(name.length + 2);
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return [...values].map(([name, value]) => `${name}: ${value}`);
}
