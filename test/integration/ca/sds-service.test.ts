import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { credentials } from "@grpc/grpc-js";
import type { StatusShape } from "#ca/transport/http/shapes";
import { Fleet, type Held } from "#test/support/ca/chaos/fleet";
import { idOf, makeMesh } from "#test/support/ca/chaos/mesh";
import { serveProgram } from "#test/support/ca/chaos/serve-program";
import { SecretStream } from "#test/support/ca/secret-stream";
import { until } from "#test/support/until";

function askSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, path, headers: { host: "localhost", connection: "close" } },
      async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve(text);
      },
    );
    call.on("error", reject);
    call.end();
  });
}

test("the service gives secrets by streams, and tells of them on every page", { timeout: 120_000 }, async (t) => {
  const mesh = await makeMesh(t, { more: "admin: { socket: admin.sock }\n" });
  const served = await serveProgram(t, mesh, { environment: { GARITA_CA__GRPC__SDS_KEYS: "true" } });
  const fleet = new Fleet(mesh, served);
  const own: Held = await fleet.operate("web");
  const channel = credentials.createSsl(
    Buffer.from(own.chain.at(-1)!),
    Buffer.from(own.privateKey.export({ type: "pkcs8", format: "pem" })),
    Buffer.from(own.chain.slice(0, -1).join("")),
  );
  const stream = new SecretStream(served.grpcPort, channel);
  t.after(() => stream.close());
  stream.ask(["ROOTCA"], "node-of-web");
  const bundle = await stream.next();
  stream.acknowledge(bundle, ["ROOTCA"]);
  const keys = new SecretStream(served.grpcPort, channel);
  t.after(() => keys.close());
  keys.ask(["default"], "node-of-web");
  keys.reject(await keys.next(), ["default"], "no such curve");
  await served.heard(({ msg }) => msg === "a secret was rejected");

  const page = async () => (await fleet.admin.get("/v1/ca/status")) as StatusShape;
  const { streams } = await page();
  assert.deepEqual([streams.open, streams.bundle], [2, { taken: 1, acknowledged: 1 }]);
  assert.deepEqual(
    streams.listed.map(({ spiffeId, fingerprint, node, names }) => [
      spiffeId,
      fingerprint,
      node,
      names[0]?.name,
      names[0]?.rejected?.message,
    ]),
    [
      [idOf("web"), own.fingerprint, "node-of-web", "default", "no such curve"],
      [idOf("web"), own.fingerprint, "node-of-web", "ROOTCA", undefined],
    ],
  );
  const told = await mesh.own("status");
  assert.match(
    told.out,
    /\nrejected: {2}default by spiffe:\/\/hello\.mesh\/ns\/hello\/sa\/web \(node-of-web\): no such curve\n/,
  );
  const status = JSON.parse(await askSocket(mesh.at("admin.sock"), "/v1/status"));
  assert.equal(status.authority.streams.open, 2);
  const metrics = await askSocket(mesh.at("admin.sock"), "/metrics");
  for (const line of [
    "garita_ca_streams 2",
    'garita_sds_rejections_total{name="default"} 1',
    "garita_sds_bundle_propagated_ratio 1",
  ])
    assert.ok(metrics.includes(`${line}\n`), line);

  const revoked = await mesh.own("revoke", own.serial, "--reason", "lost");
  assert.equal(revoked.status, 0, revoked.err);
  assert.deepEqual([(await stream.ended).code, (await keys.ended).code], [7, 7]);
  await until(async () => (await page()).streams.open === 0, "streams that ended are gone");
  await served.stop();
});
