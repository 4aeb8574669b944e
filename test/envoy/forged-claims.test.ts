import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpServiceExtAuthz } from "#envoy-configs/http-ext-authz-http";
import { httpListener } from "#envoy-configs/listeners";
import { http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { type EchoedRequest, startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { authorizationFilter } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type RunningEnvoy, runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, runGarita } from "#test/support/envoy/run-garita";

/** An Envoy that tells Garita less than all headers: what a client forges there must not get through for being unseen. */
const free = { address: "127.0.0.1", port: 0 };
const outputs = ["x-user", "x-garita-user", "x-payload"];
const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const token = tokenOf({ iss: "https://issuer.example", sub: "eve,root" });
const policies = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec:
  jwtRules:
    - issuer: https://issuer.example
      jwks: '${JSON.stringify({ keys: [publicKey.export({ format: "jwk" })] })}'
      outputPayloadToHeader: x-payload
      outputClaimToHeaders: [{ header: x-user, claim: sub }, { header: x-garita-user, claim: sub }]
`;

function tokenOf(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "EdDSA" })}.${part(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
}

const closing = new Closing();
const found = await findEnvoy();
let envoy: RunningEnvoy;

before(async () => {
  if (!found.ok) return;
  const upstream = closing.add(await startEchoUpstream());
  const unset = { address: "127.0.0.1:0", peerIdentity: "none" };
  const garita = closing.add(
    await runGarita(closing.add(await garitaFolder({ "tokens.yaml": policies })), {
      listeners: [
        { ...unset, name: "grpc", protocol: "grpc" },
        {
          ...unset,
          name: "http",
          protocol: "http",
          attributeHeaders: true,
          upstreamHeaders: outputs,
          workload: { namespace: "shop", labels: {} },
        },
      ],
    }),
  );
  const grpc = {
    endpoint: free,
    authorization: httpExtAuthz({ cluster: "grpc" }),
    settings: httpExtAuthzSettings({ "garita.dev/namespace": "shop", "garita.dev/labels": "{}" }),
    upstream: "orders",
  };
  const http = {
    endpoint: free,
    authorization: httpServiceExtAuthz({ cluster: "http", upstreamHeaders: outputs }),
    upstream: "orders",
  };
  const doors = { grpc, "grpc-joined": grpc, "grpc-some": grpc, http, "http-some": http };
  const config = envoyJson(
    bootstrap({
      admin: free,
      listeners: Object.entries(doors).map(([name, door]) => httpListener({ ...door, name })),
      clusters: [
        cluster({ name: "grpc", endpoint: garita.endpoint("grpc"), protocol: "http2" }),
        cluster({ name: "http", endpoint: garita.endpoint("http"), protocol: "http1" }),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  );
  authorizationFilter(config, "grpc-joined")["encode_raw_headers"] = false;
  for (const name of ["grpc-some", "http-some"]) {
    authorizationFilter(config, name)["allowed_headers"] = { patterns: [{ exact: "authorization" }] };
  }
  envoy = closing.add(await runEnvoy(found.binary, config));
});
after(() => closing.close());

/** The output headers as the upstream gets them. */
async function upstreamOf(door: string, ...lines: readonly string[]): Promise<readonly string[]> {
  const response = await http1(envoy.port(door), ["GET / HTTP/1.1", "host: a.example", ...lines]);
  assert.equal(response.status, 200, `${door}: ${response.body}`);
  const { rawHeaders } = JSON.parse(response.body) as EchoedRequest;
  const pairs = rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1]!] as const] : [],
  );
  return pairs.filter(([name]) => outputs.includes(name)).map(([name, value]) => `${name}: ${value}`);
}

for (const door of ["grpc", "grpc-joined", "grpc-some", "http", "http-some"]) {
  test(`${door}: claim headers at the upstream are those of the token, whatever a client writes`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    const forged = outputs.flatMap((name) => [`${name}: root`, `${name.toUpperCase()}: eve`]);
    const halves = ["x-user: eve", "x-user: root"];
    assert.deepEqual(await upstreamOf(door, ...forged), []);
    const claimed = ["x-garita-user: eve,root", `x-payload: ${token.split(".")[1]}`, "x-user: eve,root"];
    for (const lines of [[], forged, halves]) {
      const got = await upstreamOf(door, `authorization: Bearer ${token}`, ...lines);
      assert.deepEqual(got.toSorted(), claimed, lines.join());
    }
  });
}
