import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { openDenyListLink } from "#ca/deny-list/open-link";
import { serveIstio } from "#ca/transport/istio/serve";
import { writePem } from "#ca/x509/pem";
import { openAuthorityDiscovery } from "#cli/serve/authority/open-discovery";
import type { RevocationsStatus } from "#cli/serve/revocations/contract";
import { systemClock } from "#platform/clock";
import { type Door, defaultDoorLimits } from "#platform/door/door";
import { createLog } from "#platform/log";
import { systemTimers } from "#platform/timers";
import { entry, type Scene, sceneDomain, testScene } from "#test/support/ca/scene";
import { enrolIn } from "#test/support/ca/scene-requests";
import { createFakeTime } from "#test/support/keys/fake-time";
import { type AssembledService, startAssembled } from "#test/support/service/assembled";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

const idOf = (name: string) => `spiffe://${sceneDomain}/ns/hello/sa/${name}`;
const [web, gone, service] = ["web", "gone", "garita"].map(idOf) as [string, string, string];
const { log } = createLog({ level: "silent" });

/** An authority whose gRPC door offers its deny list. */
async function authority(t: TestContext): Promise<{ readonly scene: Scene; open(port?: number): Promise<Door> }> {
  const scene = await testScene(t, {
    // A workload may share the host name of the authority.
    entries: [web, gone, service].map((id) => entry(id, { dnsNames: id === web ? ["localhost"] : [] })),
    serverNames: ["localhost"],
  });
  const { service: issuing, serving, serverCertificate } = scene.authority;
  return {
    scene,
    async open(port = 0) {
      const config = { trustDomain: sceneDomain, grpc: undefined };
      const parts = { clock: systemClock, timers: systemTimers, log, chance: () => 0.5, onStream: () => undefined };
      const discovery = openAuthorityDiscovery(config, scene.authority, parts);
      const door = await serveIstio({
        name: "ca-grpc",
        address: { kind: "tcp", host: "127.0.0.1", port },
        tls: { cert: serverCertificate!.certPem, key: serverCertificate!.keyPem },
        limits: defaultDoorLimits,
        log,
        service: issuing,
        serving,
        discovery,
      });
      const stop = door.stop;
      t.after(() => stop(AbortSignal.abort()));
      return {
        ...door,
        async stop(deadline) {
          discovery.close();
          await stop(deadline);
        },
      };
    },
  };
}

const portOf = ({ address }: Door) => (address.kind === "tcp" ? address.port : 0);

/** What an agent would have written. */
async function writeIdentity(scene: Scene, folder: string, id = service): Promise<void> {
  const { chain, privateKey } = await enrolIn(scene, id);
  const files = {
    "root-cert.pem": renderBundlePem(scene.authority.service.bundle()),
    "cert-chain.pem": chain.map((der) => writePem("CERTIFICATE", der)).join(""),
    "key.pem": privateKey.export({ type: "pkcs8", format: "pem" }),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

const configOf = (folder: string, port: number, more = "") => `revocations:
  trustDomain: ${sceneDomain}
  address: 127.0.0.1:${port}
  serverName: localhost
  bundleFile: ${folder}/root-cert.pem
  certificateFile: ${folder}/cert-chain.pem
  keyFile: ${folder}/key.pem
  stateFile: ${folder}/deny-list
${more}`;

const statusOf = ({ service: { status } }: AssembledService) => status().revocations as RevocationsStatus;

test("a revocation is in force on every connected service within a second", async (t) => {
  const registrations = [web, gone, service].map(
    (id) => `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: ${id.split("/").at(-1)}, namespace: hello }
spec: { spiffeId: "${id}", callers: [{ joinToken: {} }] }
`,
  );
  const authorityService = await startAssembled(
    t,
    `ca:
  trustDomain: ${sceneDomain}
  store: state/ca.sqlite
  keyEncryptionKeyFile: kek
  serverNames: [localhost]
  grpc: { address: "127.0.0.1:0" }
  socket: ca.sock
`,
    { policies: { "registrations.yaml": registrations.join("---\n") } },
  );
  const [door] = authorityService.service.authorityAddresses();
  assert.ok(door?.address.kind === "tcp");
  const folder = await tempFolder(t);
  const issue = (id: string, name: string) => authorityService.ca("issue", "--id", id, "-o", join(folder, name));
  const services = [authorityService];
  for (const name of ["a", "b"]) {
    await issue(service, name);
    services.push(await startAssembled(t, configOf(join(folder, name), door.address.port)));
  }
  for (const one of services.slice(1)) {
    const { connected, list, ready } = statusOf(one);
    assert.deepEqual([connected, list?.from, ready], [true, "authority", true], "the start has waited for the list");
    assert.deepEqual(
      one.service.status().warnings.filter((warning) => warning.startsWith("deny list")),
      [],
    );
  }
  await issue(web, "web");
  const certificate = new X509Certificate(await readFile(join(folder, "web/cert-chain.pem")));
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  const took: number[] = [];
  for (const [args, peer] of [
    [[gone], { uri: gone }],
    [[certificate.serialNumber], { uri: web, fingerprint }],
    [["--fingerprint", "0a".repeat(32)], { uri: web, fingerprint: "0a".repeat(32) }],
  ] as const) {
    for (const one of services) assert.equal(await one.ask(peer), "200");
    const begunMillis = performance.now();
    await authorityService.ca("revoke", ...args, "--reason", "a test");
    const answers = () => Promise.all(services.map((one) => one.ask(peer)));
    await until(async () => (await answers()).every((answer) => answer === "403 revoked"));
    const tookMillis = performance.now() - begunMillis;
    t.diagnostic(`${args[0]}: refused by all services ${tookMillis.toFixed(1)} ms after garita ca revoke was run`);
    took.push(tookMillis);
  }
  // All are pushed: what asks by itself does so after ten seconds. The machine may stand still in one of them.
  assert.ok(Math.min(...took) < 1_000 && Math.max(...took) < 10_000, `${took} ms`);
  for (const one of services) assert.equal(await one.ask({ uri: web }), "200");
});

test("while the authority is away the last list counts, also for a start; what was revoked meanwhile comes with it", async (t) => {
  const { scene, open } = await authority(t);
  const folder = await tempFolder(t);
  await writeIdentity(scene, folder);
  await scene.authority.service.revoke({ kind: "identity", spiffeId: gone }, "a test", "operator");
  const door = await open();
  const port = portOf(door);
  const first = await startAssembled(t, configOf(folder, port));
  assert.equal(await first.ask({ uri: gone }), "403 revoked");
  await door.stop(AbortSignal.abort());
  await until(() => statusOf(first).connected === false);
  assert.equal(await first.ask({ uri: gone }), "403 revoked");
  assert.match(first.service.status().warnings.join("\n"), /deny list: not connected to the authority since .*: /);
  await first.stop();
  const second = await startAssembled(t, configOf(folder, port));
  assert.deepEqual([statusOf(second).list?.from, statusOf(second).connected], ["disk", false]);
  assert.equal(await second.ask({ uri: gone }), "403 revoked");
  await scene.authority.service.revoke({ kind: "identity", spiffeId: web }, "a test", "operator");
  assert.equal(await second.ask({ uri: web }), "200");
  await open(port);
  await until(async () => (await second.ask({ uri: web })) === "403 revoked");
  assert.deepEqual([statusOf(second).list?.from, statusOf(second).connected], ["authority", true]);
});

test("a service without files starts and warns; where a list is required nobody with a certificate passes until one is there", async (t) => {
  const { scene, open } = await authority(t);
  const door = await open();
  const folder = await tempFolder(t);
  const lax = await startAssembled(t, configOf(await tempFolder(t), portOf(door)));
  assert.equal(await lax.ask({ uri: gone }), "200");
  assert.match(lax.service.status().warnings.join("\n"), /there is none yet, so that nothing is refused/);
  const one = await startAssembled(
    t,
    configOf(folder, portOf(door), "  required: true\nadmin: { address: 127.0.0.1:0 }\n"),
  );
  const ready = async () => (await fetch(`http://${one.service.adminAddresses()[0]}/readyz`)).json();
  assert.deepEqual(await ready(), { status: "no deny list" });
  assert.equal(await one.ask({ uri: web }), "403 revocations/none");
  assert.match(one.service.status().warnings.join("\n"), /there is none yet, so that every peer/);
  await writeIdentity(scene, folder);
  await until(async () => ((await ready()) as { readonly status: string }).status === "ready");
  assert.equal(statusOf(one).connected, true);
  assert.equal(await one.ask({ uri: web }), "200");
});

test("a service whose own certificate is revoked is told nothing more, and goes on with what it has", async (t) => {
  const { scene, open } = await authority(t);
  const door = await open();
  const folder = await tempFolder(t);
  await writeIdentity(scene, folder);
  const one = await startAssembled(t, configOf(folder, portOf(door)));
  await scene.authority.service.revoke({ kind: "identity", spiffeId: service }, "a test", "operator");
  await until(() => statusOf(one).connected === false);
  assert.match(statusOf(one).reason ?? "", /revoked/);
  assert.equal(statusOf(one).list?.from, "authority");
});

test("a server of the same roots that is not the authority is asked nothing", async (t) => {
  const { scene } = await authority(t);
  const { chain, privateKey } = await enrolIn(scene, web);
  const impostor = await serveIstio({
    name: "impostor",
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    tls: {
      cert: chain.map((der) => writePem("CERTIFICATE", der)).join(""),
      key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    },
    limits: defaultDoorLimits,
    log,
    service: scene.authority.service,
    serving: () => true,
  });
  t.after(() => impostor.stop(AbortSignal.abort()));
  const folder = await tempFolder(t);
  await writeIdentity(scene, folder);
  const one = await startAssembled(t, configOf(folder, portOf(impostor)));
  await until(() => statusOf(one).reason !== undefined);
  assert.deepEqual([statusOf(one).connected, statusOf(one).list], [false, undefined]);
  assert.match(statusOf(one).reason ?? "", /expected a server with the identity `spiffe:\/\/hello\.mesh\/garita\/ca`/);
});

test("another certificate is used from when it is written, without a moment without a list", async (t) => {
  const { scene, open } = await authority(t);
  const door = await open();
  const folder = await tempFolder(t);
  await writeIdentity(scene, folder);
  const one = await startAssembled(t, configOf(folder, portOf(door)));
  const fresh = join(folder, "fresh");
  await mkdir(fresh);
  await writeIdentity(scene, fresh);
  for (const name of ["cert-chain.pem", "key.pem"]) await rename(join(fresh, name), join(folder, name));
  await scene.authority.service.revoke({ kind: "identity", spiffeId: gone }, "a test", "operator");
  await until(async () => (await one.ask({ uri: gone })) === "403 revoked");
  await until(() => statusOf(one).connected === true);
});

test("a list that was refused is asked for again after a minute: what was wrong may have been the clock here", async (t) => {
  const { scene, open } = await authority(t);
  const door = await open();
  const { chain, privateKey } = await enrolIn(scene, service);
  const time = createFakeTime();
  const seen: Uint8Array[] = [];
  const link = openDenyListLink(
    {
      trustDomain: sceneDomain,
      address: door.address,
      serverName: "localhost",
      rootsPem: renderBundlePem(scene.authority.service.bundle()),
      client: {
        certPem: chain.map((der) => writePem("CERTIFICATE", der)).join(""),
        keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      },
    },
    {
      update: (signed) => (seen.push(signed) === 1 ? "refused" : undefined),
      connected: () => undefined,
      disconnected: () => undefined,
    },
    { timers: time, chance: () => 0.5, log },
  );
  t.after(() => link.close());
  await until(() => seen.length === 1);
  await time.advance(59_999);
  assert.equal(seen.length, 1);
  await time.advance(1);
  await until(() => seen.length === 2);
  assert.deepEqual(seen[1], seen[0]);
});
