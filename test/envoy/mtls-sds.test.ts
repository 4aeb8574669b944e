import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { writePem } from "#ca/x509/pem";
import { bootstrap } from "#envoy-configs/bootstrap";
import { cluster } from "#envoy-configs/clusters";
import { envoyJson } from "#envoy-configs/envoy-json";
import { AGENT_CLUSTER } from "#envoy-configs/secret-source";
import { enrolIn } from "#test/support/ca/scene-requests";
import { openSecretDoor } from "#test/support/ca/secret-door";
import { Closing } from "#test/support/envoy/closing";
import { clusterOf } from "#test/support/envoy/edit-config";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import {
  ask,
  count,
  impostor,
  type MtlsGround,
  orders,
  protocols,
  startGround,
  startPair,
  web,
} from "#test/support/envoy/mtls-pair";
import { runEnvoy } from "#test/support/envoy/run-envoy";
import { newKey, startSecretServer } from "#test/support/envoy/secret-server";

const free = { address: "127.0.0.1", port: 0 };
const found = await findEnvoy();
const closing = new Closing();
let ground: MtlsGround;
before(async () => {
  if (found.ok) ground = closing.add(await startGround());
});
after(() => closing.close());

test("the authority itself gives an Envoy its key over mutual TLS, where it is told to make keys", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const door = await openSecretDoor(t, ground.scene, { sdsKeys: true });
  const { chain, privateKey } = await enrolIn(ground.scene, web);
  const files = {
    certificate: join(ground.folder, "web.pem"),
    key: join(ground.folder, "web.key"),
    ca: join(ground.folder, "roots.pem"),
  };
  await writeFile(files.certificate, chain.map((der) => writePem("CERTIFICATE", der)).join(""));
  await writeFile(files.key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(files.ca, renderBundlePem(ground.scene.authority.service.bundle()));
  const toAuthority = cluster({
    name: AGENT_CLUSTER,
    endpoint: { ...free, port: door.port },
    protocol: "http2",
    tls: { ca: files.ca, serverName: { dns: "localhost" }, client: files },
  });
  const own = new Closing();
  try {
    own.add(
      await startSecretServer(
        join(ground.folder, "orders.sock"),
        ground.scene,
        orders,
        await newKey(ground.scene, orders),
      ),
    );
    const callee = own.add(await runEnvoy(binary, ground.config("mtls-sds-callee", "GRPC")));
    const places = { callee: { ...free, port: callee.port("inbound") } };
    const config = ground.config("mtls-sds-caller", "GRPC", places) as JsonObject;
    const secure = clusterOf(envoyJson(bootstrap({ listeners: [], clusters: [toAuthority] })), AGENT_CLUSTER);
    (config["static_resources"] as JsonObject)["clusters"] = [clusterOf(config, "orders"), secure];
    const caller = own.add(await runEnvoy(binary, config));
    assert.equal((await ask(caller.port("outbound"), "/orders")).status, 200);
    const made = await ground.scene.store.issuances({ limit: 10, spiffeId: web, newestOnly: true });
    assert.equal(made[0]?.method, "x509-svid", "the newest certificate was asked for with the one of the connection");
  } finally {
    await own.close();
  }
});

for (const protocol of protocols) {
  for (const kind of ["P-256", "P-384", "RSA-2048"] as const) {
    test(`${protocol}, ${kind}: two Envoys shake hands with secrets of SDS, and the policy sees the principal`, async (t) => {
      const binary = await envoyOrSkip(t);
      if (binary === undefined) return;
      const pair = await startPair(binary, ground, protocol, { kind });
      try {
        assert.equal((await ask(pair.port, "/orders")).status, 200);
        assert.equal((await ask(pair.port, "/others")).status, 403);
        assert.equal((await ground.garita.denial(({ path }) => path === "/others")).principal, web);
        for (const secrets of [pair.callerSecrets, pair.calleeSecrets]) {
          const names = secrets.status().flatMap((stream) => stream.names);
          assert.deepEqual(names.map(({ name }) => name).toSorted(), ["ROOTCA", "default"]);
          for (const { sent, acknowledged, rejected } of names)
            assert.deepEqual([acknowledged, rejected], [sent, undefined]);
          const variants = secrets.status().map(({ variant }) => variant);
          assert.deepEqual([...new Set(variants)], [protocol === "GRPC" ? "state-of-the-world" : "delta"]);
        }
      } finally {
        await pair.stop();
      }
    });
  }

  test(`${protocol}: whoever is not the workload that was meant is not talked to`, async (t) => {
    const binary = await envoyOrSkip(t);
    if (binary === undefined) return;
    const pair = await startPair(binary, ground, protocol, { calleeIs: impostor });
    try {
      const answer = await ask(pair.port, "/orders");
      assert.equal(answer.status, 503);
      assert.ok((await count(pair.caller, /^cluster\.orders\.ssl\.fail_verify_san$/)) > 0);
      assert.equal(await count(pair.callee, /^http\.inbound\.downstream_rq_total$/), 0);
    } finally {
      await pair.stop();
    }
  });
}
