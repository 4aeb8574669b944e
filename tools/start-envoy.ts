import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import type { Address } from "#platform/address";
import { findEnvoy } from "#test/support/envoy/find-envoy";
import { runEnvoy } from "#test/support/envoy/run-envoy";

export interface Demo {
  /** `host:port` where clients reach Envoy. */
  readonly address: string;
  /** What to print about it. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

/** Starts a small upstream and a real Envoy in front of it that asks the service's `grpc` listener about every request. */
export async function startDemo(listeners: ReadonlyMap<string, Address>): Promise<Demo> {
  const found = await findEnvoy();
  if (!found.ok) throw new Error(found.reason);
  const grpc = listeners.get("grpc");
  if (grpc?.kind !== "tcp") throw new Error("the example has no gRPC listener on TCP");

  const upstream = createServer((_request, response) =>
    response.end("Hello, world!\nVersion: 1.0.0\nHostname: hello-v1\n"),
  );
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const envoy = await runEnvoy(
    found.binary,
    bootstrap({
      admin: { address: "127.0.0.1", port: 0 },
      listeners: [
        httpListener({
          name: "hello",
          endpoint: { address: "127.0.0.1", port: 10000 },
          authorization: httpExtAuthz({ cluster: "garita" }),
          settings: httpExtAuthzSettings({ "garita.dev/workload": "hello-v1", "garita.dev/namespace": "hello" }),
          upstream: "hello",
        }),
      ],
      clusters: [
        cluster({ name: "hello", endpoint: { address: "127.0.0.1", port }, protocol: "http1" }),
        cluster({ name: "garita", endpoint: { address: grpc.host, port: grpc.port }, protocol: "http2" }),
      ],
    }),
  ).catch((cause: unknown) => {
    upstream.close();
    throw cause;
  });
  return {
    address: `127.0.0.1:${envoy.port("hello")}`,
    lines: [
      `  Envoy           127.0.0.1:${envoy.port("hello")}  (admin 127.0.0.1:${envoy.adminPort})`,
      `  upstream        127.0.0.1:${port}`,
    ],
    async stop() {
      await envoy.stop();
      upstream.closeAllConnections();
      upstream.close();
    },
  };
}
