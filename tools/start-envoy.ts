import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import type { Address } from "#platform/address";
import { ENVOY_VERSION, findEnvoy } from "#test/support/envoy/find-envoy";
import { runEnvoy } from "#test/support/envoy/run-envoy";

export interface Demo {
  /** `host:port` where clients reach Envoy. */
  readonly address: string;
  /** What to print about it. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

const loopback = "127.0.0.1";

/** The path of an Envoy for the demo, installed if need be, and its port free. Fails with a line for people. Before the service starts. */
export async function prepareDemo(port: number, tell: (line: string) => void): Promise<string> {
  const found = await findEnvoy(() => tell(`Installing Envoy ${ENVOY_VERSION} into .cache/envoy (once)…`));
  if (!found.ok) throw new Error(found.reason);
  // Envoy shares its port with whoever allows it, so that it would not complain itself.
  const probe = createTcpServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", ({ message, code }: NodeJS.ErrnoException) => {
      const place = `${loopback}:${port}`;
      reject(
        new Error(
          code === "EADDRINUSE" ? `${place}, where Envoy is to listen, is in use: end what listens there` : message,
        ),
      );
    });
    probe.listen(port, loopback, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
  return found.binary;
}

/**
 * Starts a small upstream, which greets the user in `x-user`, and a real Envoy in front of it that asks the service's `grpc` listener about every
 * request to the workload.
 */
export async function startDemo(
  binary: string,
  envoyPort: number,
  listeners: ReadonlyMap<string, Address>,
  workload: { readonly namespace: string; readonly name: string },
): Promise<Demo> {
  const grpc = listeners.get("grpc");
  if (grpc?.kind !== "tcp") throw new Error("the example has no gRPC listener on TCP");

  const upstream = createServer(({ headers }, response) =>
    response.end(`Hello, ${headers["x-user"] ?? "world"}!\nVersion: 1.0.0\nHostname: ${workload.name}\n`),
  );
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const envoy = await runEnvoy(
    binary,
    bootstrap({
      admin: { address: "127.0.0.1", port: 0 },
      listeners: [
        httpListener({
          name: "edge",
          endpoint: { address: loopback, port: envoyPort },
          authorization: httpExtAuthz({ cluster: "garita" }),
          settings: httpExtAuthzSettings({
            "garita.dev/workload": workload.name,
            "garita.dev/namespace": workload.namespace,
          }),
          upstream: "application",
        }),
      ],
      clusters: [
        cluster({ name: "application", endpoint: { address: "127.0.0.1", port }, protocol: "http1" }),
        cluster({ name: "garita", endpoint: { address: grpc.host, port: grpc.port }, protocol: "http2" }),
      ],
    }),
  ).catch((cause: unknown) => {
    upstream.close();
    throw cause;
  });
  return {
    address: `127.0.0.1:${envoy.port("edge")}`,
    lines: [
      `  Envoy           127.0.0.1:${envoy.port("edge")}  (admin 127.0.0.1:${envoy.adminPort})`,
      `  upstream        127.0.0.1:${port}`,
    ],
    async stop() {
      await envoy.stop();
      upstream.closeAllConnections();
      upstream.close();
    },
  };
}
