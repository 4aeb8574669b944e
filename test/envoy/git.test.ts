import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { httpExtAuthz, httpExtAuthzSettings } from "#envoy-configs/http-ext-authz";
import { httpListener } from "#envoy-configs/listeners";
import { cli } from "#test/support/cli/run-cli";
import { decisionLog, loggedDecisions } from "#test/support/envoy/access-log";
import { http1 } from "#test/support/envoy/clients";
import { Closing } from "#test/support/envoy/closing";
import { startEchoUpstream } from "#test/support/envoy/echo-upstream";
import { connectionManager } from "#test/support/envoy/edit-config";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { runEnvoy } from "#test/support/envoy/run-envoy";
import { garitaFolder, runGarita } from "#test/support/envoy/run-garita";
import { allowing, testRepository } from "#test/support/git/test-repository";

const free = { address: "127.0.0.1", port: 0 };

/** An Envoy whose requests are decided by a repository's policies. */
async function envoyUnder(t: TestContext, binary: string, url: string) {
  const closing = new Closing();
  t.after(() => closing.close());
  const upstream = closing.add(await startEchoUpstream());
  const folder = closing.add(await garitaFolder({}));
  const garita = closing.add(
    await runGarita(folder, {
      listeners: [{ name: "main", protocol: "grpc", address: "127.0.0.1:0", peerIdentity: "none" }],
      policies: { git: { url, folder: "state", pollSeconds: 3600 } },
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
    async ask(path: string) {
      const mark = `git-${marks++}`;
      const { status } = await http1(envoy.port("main"), [`GET ${path} HTTP/1.1`, "host: h", `x-case: ${mark}`]);
      const [line] = await loggedDecisions(envoy, (logged) => logged.case === mark);
      return [status, Reflect.get(line!, "commit")];
    },
    sync: () => cli(["sync", "--admin", `unix:${folder.path}/admin.sock`]),
  };
}

test("a push is what a real Envoy enforces, and its access log names the commit; a bad push changes nothing", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const repository = await testRepository(t);
  const first = await repository.commit({ "a.yaml": allowing("/one") });
  const { ask, sync } = await envoyUnder(t, binary, repository.url);
  assert.deepEqual(
    [await ask("/one"), await ask("/two")],
    [
      [200, first],
      [403, first],
    ],
  );
  const second = await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal((await sync()).status, 0);
  assert.deepEqual(
    [await ask("/one"), await ask("/two")],
    [
      [403, second],
      [200, second],
    ],
  );
  await repository.commit({ "a.yaml": "kind: [" });
  assert.equal((await sync()).status, 5);
  assert.deepEqual(
    [await ask("/one"), await ask("/two")],
    [
      [403, second],
      [200, second],
    ],
  );
  const same = await repository.commit({ "a.yaml": allowing("/two"), "README.md": "x" });
  assert.equal((await sync()).status, 0);
  assert.deepEqual(await ask("/two"), [200, same], "the same rules, and another commit");
});
