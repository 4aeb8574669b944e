import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ConnectionOptions } from "node:tls";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import { http1 } from "#test/support/envoy/clients";
import { startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { runEnvoy } from "#test/support/envoy/run-envoy";
import { startAssembled } from "#test/support/service/assembled";

const free = { address: "127.0.0.1", port: 0 };
const registration = (name: string) => `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: ${name}, namespace: hello }
spec: { spiffeId: "spiffe://hello.mesh/ns/hello/sa/${name}", callers: [{ joinToken: {} }] }
`;

test("a revoked workload is refused within a second, its replacement is let in, and neither is once the identity is revoked", async (t) => {
  const envoyBinary = await envoyOrSkip(t);
  if (envoyBinary === undefined) return;
  const garita = await startAssembled(
    t,
    "ca: { trustDomain: hello.mesh, store: state/ca.sqlite, keyEncryptionKeyFile: kek, socket: ca.sock }\n",
    { policies: { "web.yaml": registration("web"), "front.yaml": registration("front") } },
  );
  const at = (...names: string[]) => join(garita.folder, ...names);
  const web = "spiffe://hello.mesh/ns/hello/sa/web";
  /** A client with a new certificate of the identity. */
  const client = async (name: string): Promise<{ readonly tls: ConnectionOptions; readonly serial: string }> => {
    await garita.ca("issue", "--id", web, "-o", at(name));
    const [cert, key] = await Promise.all([readFile(at(name, "cert-chain.pem")), readFile(at(name, "key.pem"))]);
    return { tls: { cert, key, servername: "orders" }, serial: new X509Certificate(cert).serialNumber };
  };
  await garita.ca("issue", "--id", "spiffe://hello.mesh/ns/hello/sa/front", "-o", at("front"));
  const upstream = await startEchoUpstream();
  t.after(() => upstream.stop());
  const address = garita.service.addresses().get("grpc");
  assert.ok(address?.kind === "tcp");
  const envoy = await runEnvoy(
    envoyBinary,
    bootstrap({
      admin: free,
      listeners: [
        httpListener({
          name: "orders",
          endpoint: free,
          tls: {
            certificate: at("front", "cert-chain.pem"),
            key: at("front", "key.pem"),
            clientCa: at("front", "root-cert.pem"),
          },
          authorization: httpExtAuthz({ cluster: "garita" }),
          settings: httpExtAuthzSettings({}),
          upstream: "orders",
        }),
      ],
      clusters: [
        cluster({ name: "garita", endpoint: { ...free, port: address.port }, protocol: "http2" }),
        cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
      ],
    }),
  );
  t.after(() => envoy.stop());
  const ask = async ({ tls }: { readonly tls: ConnectionOptions }) => {
    const { status, body } = await http1(envoy.port("orders"), ["GET / HTTP/1.1", "host: orders"], { tls });
    return status === 200 ? 200 : `${status} ${body}`;
  };
  const refused = async (who: { readonly tls: ConnectionOptions }, revoked: string) => {
    const begunMillis = performance.now();
    await garita.ca("revoke", revoked, "--reason", "a test");
    while ((await ask(who)) === 200) assert.ok(performance.now() - begunMillis < 1_000, "still let in after a second");
    t.diagnostic(`refused ${(performance.now() - begunMillis).toFixed(0)} ms after garita ca revoke was run`);
    assert.equal(await ask(who), "403 RBAC: access denied");
  };

  const lost = await client("lost");
  assert.equal(await ask(lost), 200);
  await refused(lost, lost.serial);
  const replacement = await client("replacement");
  assert.equal(await ask(replacement), 200);
  assert.notEqual(await ask(lost), 200);
  await refused(replacement, web);
  assert.deepEqual(
    garita.service.status().warnings.filter((warning) => /revocations ask for/.test(warning)),
    [],
  );
});
