import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { outcomeOf } from "#test/support/envoy/outcome";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";
import type { Issuer } from "#test/support/issuer/issuer";
import { startOidcProvider } from "#test/support/issuer/start-oidc-provider";
import { until } from "#test/support/until";

/** What an identity provider does in its life, and what requests with its tokens come to meanwhile. */
const free = { address: "127.0.0.1", port: 0 };

/** One workload whose policies name the issuer, one whose policies name the address of its keys. */
const ways = ["discovered", "named"] as const;

const policies = (issuer: Issuer) =>
  ways
    .map((namespace) => {
      const keys = namespace === "named" ? `, jwksUri: "${issuer.jwksUri}"` : "";
      return `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: ${namespace} }
spec: { jwtRules: [{ issuer: "${issuer.issuer}"${keys} }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: ${namespace} }
spec:
  rules:
    - from: [{ source: { requestPrincipals: ["${issuer.issuer}/*"] } }]
    - to: [{ operation: { paths: [/open] } }]
`;
    })
    .join("---\n");

const closing = new Closing();
const found = await findEnvoy();
let steady: Issuer;
let shaky: Issuer;
/** A token of the shaky provider with its first key. */
let old: string;
let bySteady: RunningGarita;
let byShaky: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  steady = closing.add(await startOidcProvider());
  shaky = closing.add(await startOidcProvider());
  old = await shaky.token();
  shaky.become("down");
  const upstream = closing.add(await startEchoUpstream());
  const serve = async (issuer: Issuer) => {
    const folder = closing.add(await garitaFolder({ "all.yaml": policies(issuer) }));
    const listeners = [{ name: "grpc", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "none" }];
    return closing.add(await runGarita(folder, { listeners, jwt: { caFile: issuer.caFile } }));
  };
  bySteady = await serve(steady);
  byShaky = await serve(shaky);
  const services = { steady: bySteady, shaky: byShaky };
  envoy = closing.add(
    await runEnvoy(
      found.binary,
      bootstrap({
        admin: free,
        listeners: Object.keys(services).flatMap((name) =>
          ways.map((way) =>
            httpListener({
              name: `${name}-${way}`,
              endpoint: free,
              authorization: httpExtAuthz({ cluster: name }),
              settings: httpExtAuthzSettings({ "garita.dev/namespace": way, "garita.dev/labels": "{}" }),
              upstream: "orders",
            }),
          ),
        ),
        clusters: [
          ...Object.entries(services).map(([name, service]) =>
            cluster({ name, endpoint: service.endpoint("grpc"), protocol: "http2" }),
          ),
          cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
        ],
      }),
    ),
  );
});
after(() => closing.close());

/** What the client is told; undefined: the upstream had the request. */
async function told(listener: string, token: string | undefined, path = "/orders"): Promise<string | undefined> {
  const headers: [string, string][] = token === undefined ? [] : [["authorization", `Bearer ${token}`]];
  const outcome = await outcomeOf(envoy.port(listener), { by: "h2", path, headers });
  return outcome.to === "upstream" ? undefined : `${outcome.status} ${outcome.body}`;
}

const unknownKey = "401 Jwks doesn't have key to match kid or alg from Jwt";
const wrongSignature = "401 Jwt verification fails";

test("keys are rotated while requests run: new tokens are good within seconds, old ones bad from then on", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const earlier = await steady.token();
  const seen = new Set<string | undefined>();
  let running = true;
  const client = async (way: string) => {
    while (running) {
      seen.add(await told(`steady-${way}`, earlier));
      await delay(5);
    }
  };
  const clients = ways.map(client);
  try {
    for (const way of ways) assert.equal(await told(`steady-${way}`, earlier), undefined);
    await steady.rotate();
    const fresh = await steady.token();
    // Each workload has its own source of keys; a refresh because of a token comes at most every ten seconds.
    for (const way of ways) {
      const first = await told(`steady-${way}`, fresh);
      assert.ok(first === undefined || first === unknownKey, first);
      await until(async () => (await told(`steady-${way}`, fresh)) === undefined);
      assert.equal(await told(`steady-${way}`, earlier), unknownKey);
    }
  } finally {
    running = false;
    await Promise.all(clients);
  }
  assert.deepEqual(seen, new Set([undefined, unknownKey]));
});

test("a provider that is away, comes, goes, shows a page, and is back with other keys", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const all = async (token: string | undefined, path?: string) =>
    Promise.all(ways.map((way) => told(`shaky-${way}`, token, path)));
  const faults = async () => ((await byShaky.status()).issuers ?? []).map(({ state, fault }) => [state, fault?.code]);

  // Never there: its tokens are refused in Istio's words, and requests without one are decided as ever.
  assert.deepEqual(await all(old), [wrongSignature, wrongSignature]);
  assert.deepEqual(await all(undefined, "/open"), [undefined, undefined]);
  assert.match((await all(undefined))[0] ?? "", /^403 /);
  const { warnings, rules } = await byShaky.status();
  assert.equal(rules.ready, true);
  assert.equal(warnings.filter((line) => line.startsWith("issuer ") && line.includes("no keys")).length, 2);

  // A page where keys should be: the document is there, and no key in it.
  shaky.become("html");
  byShaky.signal("SIGHUP");
  await until(async () => (await told("shaky-named", old)) === "401 Jwks doesn't have any valid public key");
  assert.equal(await told("shaky-discovered", old), wrongSignature);

  shaky.become("well");
  byShaky.signal("SIGHUP");
  await until(async () => (await all(old)).every((each) => each === undefined));
  assert.deepEqual(await faults(), [
    ["keys", undefined],
    ["keys", undefined],
  ]);

  // Down, then a page, which is noticed without being told: the last good keys stay.
  for (const condition of ["down", "html"] as const) {
    const before = await faults();
    shaky.become(condition);
    if (condition === "down") byShaky.signal("SIGHUP");
    await until(async () => (await faults()).every(([, code], i) => code !== before[i]?.[1]));
    assert.deepEqual(await all(old), [undefined, undefined]);
    for (const [state, code] of await faults()) assert.deepEqual([state, code === undefined], ["keys", false]);
  }

  // Back by itself, with other keys.
  await shaky.rotate();
  shaky.become("well");
  const fresh = await shaky.token();
  await until(async () => (await all(fresh)).every((each) => each === undefined));
  assert.deepEqual(await all(old), [unknownKey, unknownKey]);
  const log = byShaky.log();
  for (const token of [old, fresh]) assert.ok(!log.includes(token.split(".")[2]!));
});
