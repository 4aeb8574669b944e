import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { after, before, type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { assemble } from "#cli/serve/assemble";
import { ConfigRefused, type Service } from "#cli/serve/contract";
import { startService } from "#cli/serve/start-service";
import { createLog } from "#platform/log";
import { type Certificates, type Leaf, makeCertificates } from "#test/support/certificates";
import { until } from "#test/support/envoy/mtls-pair";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { hostDeliveries, hostSecret } from "#test/support/git/webhooks/deliveries";
import { type Posted, post } from "#test/support/git/webhooks/post";
import { runService } from "#test/support/service/run-service";
import { tempFolder } from "#test/support/service/temp-folder";

let certificates: Certificates;
let ca: Buffer;
before(async () => {
  certificates = await makeCertificates();
  ca = await readFile(certificates.ca);
});
after(() => certificates.remove());

/** The real service with policies of this repository, which is asked for a webhook alone; `tls`: more of its section. Ends with the test. */
async function listening(t: TestContext, url: string, tls = "") {
  const folder = await tempFolder(t);
  const take = async (leaf: Leaf) => {
    for (const kind of ["crt", "key"] as const)
      await copyFile(certificates.file(leaf, kind), join(folder, `door.${kind}`));
  };
  await take("server");
  await writeFile(join(folder, "secret"), hostSecret, { mode: 0o600 });
  const config = join(folder, "garita.yaml");
  await writeFile(
    config,
    `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: shop, labels: {} } }]
policies:
  git:
    url: "${url}"
    folder: state
    pollSeconds: 86400
    webhook: { address: "127.0.0.1:0", secretFile: secret, tls: { certificateFile: door.crt, keyFile: door.key${tls} } }
`,
  );
  let logged = "";
  const stream = new PassThrough().on("data", (chunk: Buffer) => {
    logged += chunk.toString("utf8");
  });
  const service = await startService(
    await assemble({
      config,
      environment: { PATH: process.env["PATH"] },
      log: createLog({ level: "info", stream }),
    }),
  );
  t.after(() => service.stop({ lingerMillis: 0, deadlineMillis: 0 }));
  const send = (posted: Omit<Posted, "port">) => post({ port: portOf(service), tls: { ca }, ...posted });
  return { folder, service, take, send, logged: () => logged };
}

function portOf(service: Service): number {
  const address = service.webhookAddress();
  assert.ok(address?.kind === "tcp");
  return address.port;
}

/** The serial number of the certificate that is shown at a port. */
function shownSerial(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: "127.0.0.1", ca, servername: "localhost" }, () => {
      resolve(socket.getPeerX509Certificate()!.serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

for (const { host, proof, body, fields } of hostDeliveries) {
  test(`over TLS, ${host}, ${proof}: a push is in force; of a repeated delivery, and one of another secret, nothing is asked`, async (t) => {
    const repository = await testRepository(t);
    await repository.commit({ "a.yaml": allowing("/one") });
    const { service, send, logged } = await listening(t, repository.url);
    const inForce = () => service.status().rules.active?.revision?.commit;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const path = `/${host}`;
    const pushed = await repository.commit({ "a.yaml": allowing("/two") });
    const before = service.status().rules.lastAttemptMillis;
    const wrong = await send({ path, headers: fields(body, nowSeconds, "another-secret"), body });
    assert.deepEqual([wrong.status, service.status().rules.lastAttemptMillis], [401, before]);
    const headers = fields(body, nowSeconds);
    const taken = await send({ path, headers, body });
    assert.deepEqual([taken.status, taken.body], [202, '{"asked":true}\n']);
    await until("the push is in force", () => inForce() === pushed);
    await repository.commit({ "a.yaml": allowing("/three") });
    const attempted = service.status().rules.lastAttemptMillis;
    const again = await send({ path, headers, body });
    assert.deepEqual([again.status, again.body], [202, '{"asked":false}\n']);
    assert.deepEqual([service.status().rules.lastAttemptMillis, inForce()], [attempted, pushed]);
    assert.ok(!logged().includes(hostSecret) && !logged().includes("another-secret"), "no secret is told");
  });
}

test("a certificate that is replaced while it runs is shown from then on, one without its key is not, and deliveries are taken", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const { folder, service, take, send, logged } = await listening(t, repository.url);
  const old = await shownSerial(portOf(service));
  await copyFile(certificates.file("server-renewed", "crt"), join(folder, "door.crt"));
  await until("the half of a pair is refused", () => logged().includes("the configuration is refused"));
  assert.equal(await shownSerial(portOf(service)), old);
  await take("server-renewed");
  // In between nobody listens.
  const shown = async () => shownSerial(portOf(service));

  await until("the new certificate is shown", () =>
    shown().then(
      (serial) => serial !== old,
      () => false,
    ),
  );
  const { host, body, fields } = hostDeliveries[0]!;
  const pushed = await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal((await send({ path: `/${host}`, headers: fields(body, 0), body })).status, 202);
  await until("the push is in force", () => service.status().rules.active?.revision?.commit === pushed);
});

test("with authorities of clients, who shows no certificate of theirs, or of another name, gets no answer", async (t) => {
  const repository = await testRepository(t);
  const allowed = "spiffe://cluster.local/ns/default/sa/client";
  const { send, logged } = await listening(
    t,
    repository.url,
    `, clientCaFile: "${certificates.ca}", allowedClients: ["${allowed}"]`,
  );
  const { host, body, fields } = hostDeliveries[0]!;
  const delivery = { path: `/${host}`, headers: fields(body, 0), body };
  const as = async (leaf: Leaf) => ({
    ca,
    cert: await readFile(certificates.file(leaf, "crt")),
    key: await readFile(certificates.file(leaf, "key")),
  });
  await assert.rejects(send(delivery));
  for (const leaf of ["stranger", "operator"] as const)
    await assert.rejects(send({ ...delivery, tls: await as(leaf) }));
  assert.match(logged(), /"code":"webhook\/request".*client refused: .*not among the allowed clients/);
  assert.equal((await send({ ...delivery, tls: await as("client") })).body, '{"asked":true}\n');
});

test("clear text is not spoken where there is TLS, and beyond this machine nowhere", async (t) => {
  const repository = await testRepository(t);
  const { service } = await listening(t, repository.url);
  const { host, body, fields } = hostDeliveries[0]!;
  const clear = { port: portOf(service), path: `/${host}`, headers: fields(body, 0), body };
  await assert.rejects(post(clear));
  const socket = connect(portOf(service), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\n\r\n");
  const answered = await new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined).on("close", () => resolve(text));
  });
  assert.doesNotMatch(answered, /HTTP/);

  const file = join(await tempFolder(t), "garita.yaml");
  for (const address of ["0.0.0.0:0", "[::]:0", "192.0.2.1:9443"]) {
    await writeFile(
      file,
      `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0" }]
policies: { git: { url: /srv/none.git, folder: state, webhook: { address: "${address}", secretFile: secret } } }
`,
    );
    await assert.rejects(
      runService(t, file),
      (fault) =>
        fault instanceof ConfigRefused && fault.findings.some(({ code }) => code === "config/webhook-plaintext"),
      address,
    );
  }
});
