import type { TestContext } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import { cli, type Ran } from "#test/support/cli/run-cli";
import { decisionLog, loggedDecisions } from "./access-log.ts";
import { http1 } from "./clients.ts";
import { Closing } from "./closing.ts";
import { startEchoUpstream } from "./echo-upstream.ts";
import { connectionManager } from "./edit-config.ts";
import { runEnvoy } from "./run-envoy.ts";
import { type GaritaOptions, garitaFolder, runGarita } from "./run-garita.ts";

const free = { address: "127.0.0.1", port: 0 };

/** An Envoy, and the service that decides for it. */
export interface EnvoyUnder {
  /** The status of a request through Envoy, and the `commit` of the decision in the metadata of Envoy's access log. */
  ask(path: string): Promise<[status: number, commit: unknown]>;
  /** `garita sync`. */
  sync(): Promise<Ran>;
}

/** An Envoy whose requests are decided by these policies, as they stand in `garita.yaml`. Ends with the test. */
export async function envoyUnder(
  t: TestContext,
  binary: string,
  policies: NonNullable<GaritaOptions["policies"]>,
): Promise<EnvoyUnder> {
  const closing = new Closing();
  t.after(() => closing.close());
  const upstream = closing.add(await startEchoUpstream());
  const folder = closing.add(await garitaFolder({}));
  const garita = closing.add(
    await runGarita(folder, {
      listeners: [{ name: "main", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "none" }],
      policies,
    }),
  );
  const listener = httpListener({
    name: "main",
    endpoint: free,
    authorization: httpExtAuthz({ cluster: "garita", timeoutMillis: 5_000 }),
    settings: httpExtAuthzSettings({ "garita.dev/namespace": "shop", "garita.dev/labels": "{}" }),
    upstream: "orders",
  });
  const clusters = [
    cluster({ name: "garita", endpoint: garita.endpoint("main"), protocol: "http2" }),
    cluster({ name: "orders", endpoint: { ...free, port: upstream.port }, protocol: "http1" }),
  ];
  const config = envoyJson(bootstrap({ admin: free, listeners: [listener], clusters }));
  connectionManager(config, "main")["access_log"] = [decisionLog("envoy.filters.http.ext_authz", ["commit"])];
  const envoy = closing.add(await runEnvoy(binary, config));
  let marks = 0;
  return {
    async ask(path) {
      const mark = `under-${marks++}`;
      const { status } = await http1(envoy.port("main"), [`GET ${path} HTTP/1.1`, "host: h", `x-case: ${mark}`]);
      const [line] = await loggedDecisions(envoy, (logged) => logged.case === mark);
      return [status, Reflect.get(line!, "commit")];
    },
    sync: () => cli(["sync", "--admin", `unix:${folder.path}/admin.sock`]),
  };
}
