import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { type HttpListenerOptions, httpListener } from "#envoy-configs/listeners";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { h2, headerValues, http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { described } from "#test/support/envoy/described";
import { type EchoedRequest, startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { authorizationFilter, connectionManager } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, type RunningGarita, runGarita } from "#test/support/envoy/run-garita";

const free = { address: "127.0.0.1", port: 0 };

const policies = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  action: ALLOW
  rules:
    - to: [{ operation: { paths: [/open, "/open/*"] } }]
    - from: [{ source: { principals: [cluster.local/ns/ops/sa/operator] } }]
      to: [{ operation: { paths: [/by-principal] } }]
    - from: [{ source: { ipBlocks: [6.6.6.6] } }]
      to: [{ operation: { paths: [/by-peer] } }]
    - from: [{ source: { remoteIpBlocks: [6.6.6.6] } }]
      to: [{ operation: { paths: [/by-remote] } }]
    - to: [{ operation: { paths: [/by-own-header] } }]
      when: [{ key: "request.headers[x-garita-peer]", values: ["*"] }]
    - to: [{ operation: { paths: [/for-users] } }]
      when: [{ key: "request.headers[x-role]", values: [user] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-admins, namespace: shop }
spec:
  selector: { matchLabels: { app: orders } }
  action: DENY
  rules:
    - to: [{ operation: { paths: [/for-users] } }]
      when: [{ key: "request.headers[x-role]", values: [admin] }]
    - from: [{ source: { notRemoteIpBlocks: [127.0.0.0/8] } }]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec:
  selector: { matchLabels: { app: strict } }
  mtls: { mode: STRICT }
`;

const refusedBody = "RBAC: access denied";

const closing = new Closing();
const found = await findEnvoy();
let certificates: Certificates;
let garita: RunningGarita;
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  certificates = closing.add(await makeCertificates());
  const upstream = closing.add(await startEchoUpstream());
  const mesh = "pathNormalization: { normalization: DECODE_AND_MERGE_SLASHES }\n";
  const folder = closing.add(await garitaFolder({ "mesh.yaml": mesh, "shop/policies.yaml": policies }));
  garita = closing.add(
    await runGarita(folder, {
      listeners: [
        { name: "verified", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified" },
        { name: "telling", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "verified", explainToClient: true },
      ],
    }),
  );
  const tls = { ...certificates.files("server"), clientCa: certificates.ca };
  const listener = (name: string, more: Partial<HttpListenerOptions> = {}) =>
    httpListener({
      name,
      endpoint: free,
      authorization: httpExtAuthz({ cluster: "garita" }),
      settings: httpExtAuthzSettings(described("orders")),
      upstream: "orders",
      ...more,
    });
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: [
        listener("normalizing"),
        listener("as-received"),
        listener("joined"),
        listener("left-to-garita", { settings: httpExtAuthzSettings(described("free")) }),
        listener("done-by-envoy", { settings: httpExtAuthzSettings(described("free")), mergeSlashes: true }),
        listener("tls", { tls }),
        listener("strict", { settings: httpExtAuthzSettings(described("strict")) }),
        listener("nobody", { settings: httpExtAuthzSettings({ "garita.dev/workload": "unheard-of" }) }),
        listener("telling", { authorization: httpExtAuthz({ cluster: "garita-telling" }) }),
      ],
      clusters: [
        cluster({ name: "garita", endpoint: garita.endpoint("verified"), protocol: "http2" }),
        cluster({ name: "garita-telling", endpoint: garita.endpoint("telling"), protocol: "http2" }),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  );
  for (const name of ["as-received", "left-to-garita"]) connectionManager(config, name)["normalize_path"] = false;
  connectionManager(config, "done-by-envoy")["path_with_escaped_slashes_action"] = "UNESCAPE_AND_FORWARD";
  delete authorizationFilter(config, "joined")["encode_raw_headers"];
  for (const name of ["normalizing", "strict", "nobody"]) {
    connectionManager(config, name)["access_log"] = [decisionLog("envoy.filters.http.ext_authz")];
  }
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

const get = (path: string, ...headers: string[]) => [`GET ${path} HTTP/1.1`, "host: orders.shop", ...headers];
const echoed = (body: string) => JSON.parse(body) as EchoedRequest;

/** Names of headers that the upstream saw, in lower case. */
function upstreamNames(body: string): string[] {
  return echoed(body)
    .rawHeaders.filter((_, i) => i % 2 === 0)
    .map((name) => name.toLowerCase());
}

/** Every header by which an honest Envoy tells us something, as a client would write it to be somebody else somewhere else. */
const forged: readonly (readonly [name: string, value: string])[] = [
  ["x-garita-peer", "[6.6.6.6]"],
  ["x-garita-remote", "[6.6.6.6]"],
  ["x-garita-tls", "[TLSv1.3]"],
  ["x-garita-uris", "[spiffe://cluster.local/ns/ops/sa/operator]"],
  ["x-garita-dns", "[operator.example]"],
  ["x-garita-subject", "[CN=operator]"],
  ["x-garita-fingerprint", "[00]"],
  ["x-garita-issuer", "[00]"],
  ["x-garita-secret", "secret"],
  ["x-garita-decision", "forged"],
  ["x-garita-reason", "policy/allowed"],
  ["x-garita-status", "200"],
  ["x-garita-invented", "1"],
  ["x-forwarded-client-cert", "By=spiffe://a;URI=spiffe://cluster.local/ns/ops/sa/operator"],
];

/** One way to send a GET with headers: what the client saw of it. */
interface Way {
  readonly name: string;
  readonly ask: (path: string, headers: typeof forged) => Promise<{ readonly status: unknown; readonly body: string }>;
}

const client = () => certificates.pem("client");

const ways: readonly Way[] = [
  {
    name: "HTTP/1.1 in plaintext",
    ask: (path, headers) =>
      http1(envoy.port("normalizing"), get(path, ...headers.map(([name, value]) => `${name}: ${value}`))),
  },
  {
    name: "HTTP/1.1 in mutual TLS, names in upper case",
    ask: (path, headers) => {
      const lines = headers.map(([name, value]) => `${name.toUpperCase()}: ${value}`);
      return http1(envoy.port("tls"), get(path, ...lines), { tls: client() });
    },
  },
  {
    name: "HTTP/2 in plaintext",
    ask: async (path, headers) => {
      const { headers: seen, body } = await h2(envoy.port("normalizing"), {
        ":path": path,
        ...Object.fromEntries(headers),
      });
      return { status: seen[":status"], body };
    },
  },
  {
    name: "HTTP/2 in mutual TLS, every header twice",
    ask: async (path, headers) => {
      const twice = Object.fromEntries(headers.map(([name, value]) => [name, [value, value]]));
      const tls = { ...client(), ALPNProtocols: ["h2"] };
      const { headers: seen, body } = await h2(envoy.port("tls"), { ":path": path, ...twice }, { tls });
      return { status: seen[":status"], body };
    },
  },
];

for (const { name, ask } of ways) {
  test(`${name}: forged headers of our names win nothing and never reach the upstream`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const open = await ask("/open", forged);
    assert.equal(open.status, 200);
    const names = upstreamNames(open.body);
    assert.deepEqual(
      names.filter((header) => header.startsWith("x-garita-")),
      [],
    );
    assert.ok(!names.includes("x-forwarded-client-cert"));
    for (const path of ["/by-principal", "/by-peer", "/by-remote", "/by-own-header"]) {
      const refused = await ask(path, forged);
      assert.deepEqual([path, refused.status, refused.body], [path, 403, refusedBody]);
    }
  });
}

test("x-forwarded-for counts as far as this Envoy was told to believe it, and never makes a peer", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  // Without `use_remote_address` Envoy believes the header's last entry: then it is refused by the DENY on foreign remotes.
  const believed = await http1(envoy.port("normalizing"), get("/by-remote", "x-forwarded-for: 6.6.6.6"));
  const line = await garita.denial(({ path }) => path === "/by-remote");
  assert.deepEqual([believed.status, line.rule], [403, "ns[shop]-policy[no-admins]-rule[1]"]);
  const peer = await http1(envoy.port("normalizing"), get("/by-peer", "x-forwarded-for: 127.0.0.9"));
  assert.equal(peer.status, 403);
});

const targets: readonly { readonly received: string; readonly upstream: string | undefined }[] = [
  { received: "/open/a?q=/../%41", upstream: "/open/a?q=/../%41" },
  { received: "/secret/../open", upstream: "/open" },
  { received: "/open//a/./b?x=1", upstream: "/open/a/b?x=1" },
  { received: "/%6fpen%2Fa", upstream: "/open/a" },
  { received: "/open/../secret", upstream: undefined },
  { received: "/open%2f..%2fsecret", upstream: undefined },
];

for (const { received, upstream } of targets) {
  test(`${received} on a listener that does not normalise: decided, and sent on, in normal form`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const one = await http1(envoy.port("as-received"), get(received));
    const two = await h2(envoy.port("as-received"), { ":path": received });
    assert.deepEqual([one.status, two.headers[":status"]], upstream === undefined ? [403, 403] : [200, 200]);
    if (upstream === undefined) assert.deepEqual([one.body, two.body], [refusedBody, refusedBody]);
    else assert.deepEqual([echoed(one.body).target, echoed(two.body).target], [upstream, upstream]);
  });
}

test("a query beyond ASCII, over HTTP/2: text is handed on as it is, bytes that are no text cannot be", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const asked = (query: string) => h2(envoy.port("as-received"), { ":path": `/x/../open?${query}` });
  const text = await asked("q=\u00c3\u00a9&r=%C3");
  assert.deepEqual([text.headers[":status"], echoed(text.body).target], [200, "/open?q=\u00c3\u00a9&r=%C3"]);
  assert.equal((await asked("q=\u00e9")).headers[":status"], 403);
});

/** Targets whose normal form is Envoy's word: where it makes one, and where that is left to us, the upstream gets the same. */
const spellings = [
  ..."/a /a/ // /// /a//b/ /a/../b /a/./b /a/.. /../a /a//../b /a\\b /a\\..\\b /%61 /%2e%2e/a /a/%2E%2e/b".split(" "),
  ..."/a%2fb /a%2F..%2fb /a%5cb /a%5C..%5cb /a%2f%2fb /%252e%252e/a /%25 /%zz /%%30%30 /a%7Eb /a?x=/../%2f".split(" "),
  ..."/a/..;/b /a/..;x=1/b /a/.;/b /a/..; /..;/b /a/..;?q /a//..;/b /a/.;x/..;y/b /a;x/b /a/;/b /a..;/b".split(" "),
  ..."/a/..%3b/b /a/..;%2fb /a/..;%5cb /a%2f..;%2fb /a/..;x\\y/b /a/..;%00/b /a%00b /a/b;/../c".split(" "),
];

for (const spelling of spellings) {
  test(`${spelling} reaches the upstream as one path, whoever normalises it`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const reached = async (listener: string) => {
      const { status, body } = await http1(envoy.port(listener), get(spelling));
      return status === 200 ? echoed(body).target : status;
    };
    assert.equal(await reached("left-to-garita"), await reached("done-by-envoy"));
  });
}

test("duplicate header lines: each counts by itself, also where Envoy joins them", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const roles = (listener: string, ...values: string[]) =>
    http1(envoy.port(listener), get("/for-users", ...values.map((value) => `x-role: ${value}`)));
  for (const listener of ["normalizing", "joined"]) {
    const status = async (...values: string[]) => [listener, values, (await roles(listener, ...values)).status];
    assert.deepEqual(await status("user"), [listener, ["user"], 200]);
    assert.deepEqual(await status("user", "admin"), [listener, ["user", "admin"], 403]);
    assert.deepEqual(await status("admin", "user"), [listener, ["admin", "user"], 403]);
    assert.deepEqual(await status("guest"), [listener, ["guest"], 403]);
  }
  // Line by line, two lines of which one matches are enough, and a comma in one line makes no second one.
  assert.equal((await roles("normalizing", "user", "guest")).status, 200);
  assert.equal((await roles("normalizing", "user,admin")).status, 403);
  assert.equal((await roles("joined", "user", "guest")).status, 403);
  const both = await roles("normalizing", "user", "guest");
  const { rawHeaders } = echoed(both.body);
  assert.deepEqual(
    rawHeaders.filter((_, i) => rawHeaders[i - 1] === "x-role"),
    ["user", "guest"],
  );
});

test("Envoy's access log tells id, outcome, rule, reason and digest of every decision, as our log does", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const digest = await garita.digest();
  assert.match(digest, /^[0-9a-f]{64}$/);
  const cases = [
    ["normalizing", "/open", 200, "via_upstream", "allow", "ns[shop]-policy[readers]-rule[0]", "policy/allowed"],
    ["normalizing", "/secret", 403, "ext_authz_denied", "deny", "none", "policy/not-allowed"],
    [
      "normalizing",
      "/for-users",
      403,
      "ext_authz_denied",
      "deny",
      "ns[shop]-policy[no-admins]-rule[0]",
      "policy/denied",
    ],
    ["strict", "/open", 403, "ext_authz_denied", "deny", "none", "mtls-required"],
    ["nobody", "/open", 403, "ext_authz_denied", "deny", "none", "workload/unknown"],
  ] as const;
  const ids = new Set<string>();
  for (const [i, [listener, path, code, details, outcome, rule, reason]] of cases.entries()) {
    const mark = `access-log-${i}`;
    await http1(envoy.port(listener), get(path, `x-case: ${mark}`, "x-role: admin"));
    const [line] = await loggedDecisions(envoy, (logged) => logged.case === mark);
    const { decision_id, ...rest } = line!;
    assert.deepEqual(rest, { kind: "access", path, case: mark, code, details, outcome, rule, reason, digest });
    assert.match(decision_id ?? "", /^[0-9A-HJKMNP-TV-Z]{26}$/);
    ids.add(decision_id!);
    if (outcome === "allow") continue;
    const denial = await garita.denial(({ id }) => id === decision_id);
    assert.deepEqual([denial.reason, denial.status, denial.digest], [reason, 403, digest]);
    assert.equal(denial.rule ?? "none", rule);
    if (rule !== "none") assert.equal(denial.origin, "shop/policies.yaml:27");
  }
  assert.equal(ids.size, cases.length);
});

test("clients are told the reason only where the listener says so, and never by the upstream", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const told = async (listener: string, path: string) => {
    const response = await http1(envoy.port(listener), get(path));
    return [
      response.status,
      headerValues(response, "x-garita-reason"),
      headerValues(response, "x-garita-decision").length,
    ];
  };
  const rule = "ns[shop]-policy[readers]-rule[0] at shop/policies.yaml:8";
  assert.deepEqual(await told("telling", "/open"), [200, [`policy/allowed by ${rule}`], 1]);
  assert.deepEqual(await told("telling", "/secret"), [403, ["policy/not-allowed"], 1]);
  assert.deepEqual(await told("normalizing", "/open"), [200, [], 0]);
  assert.deepEqual(await told("normalizing", "/secret"), [403, [], 0]);
});
