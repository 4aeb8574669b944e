import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createMetrics } from "#platform/metrics";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { handTimers } from "#test/support/rulesets/hand-timers";
import { runService } from "#test/support/service/run-service";
import { tempFolder } from "#test/support/service/temp-folder";

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});
after(() => certificates.remove());

test("every door with a certificate file warns before its end, on the status page, in the log and by a metric", async (t) => {
  const folder = await tempFolder(t);
  for (const kind of ["crt", "key"] as const)
    await copyFile(certificates.file("server", kind), join(folder, `door.${kind}`));
  await writeFile(join(folder, "secret"), "a secret of thirty-two characters", { mode: 0o600 });
  const tls = "tls: { certificateFile: door.crt, keyFile: door.key }";
  const config = join(folder, "garita.yaml");
  await writeFile(
    config,
    `listeners: [{ name: checks, protocol: grpc, address: "127.0.0.1:0", ${tls} }, { name: plain, protocol: grpc, address: "127.0.0.1:0" }]
admin: { address: "127.0.0.1:0", ${tls} }
policies: { git: { url: "file:///none", folder: state, webhook: { address: "127.0.0.1:0", secretFile: secret, ${tls} } } }
`,
  );
  const { validTo } = new X509Certificate(await readFile(join(folder, "door.crt")));
  const endMillis = Date.parse(validTo);
  const hour = 3_600_000;
  const time = handTimers(endMillis - 20 * hour);
  const metrics = createMetrics();
  const { service, lines } = await runService(t, config, { clock: time.clock, timers: time.timers, metrics });
  const doors = ["listener checks", "admin API", "webhook"];
  const told = () => service.status().warnings.filter((line) => line.includes("certificate"));
  const logged = () => lines().filter(({ level, msg }) => level === "warn" && String(msg).includes("the certificate"));
  assert.deepEqual([told(), logged()], [[], []]);
  const { text } = await metrics.render();
  const series = text.match(/^garita_certificate_not_after_timestamp_seconds\{.*$/gm);
  assert.deepEqual(
    series,
    doors.map((door) => `garita_certificate_not_after_timestamp_seconds{door="${door}"} ${endMillis / 1000}`),
  );

  time.step(18 * hour);
  const ends = new Date(endMillis).toISOString();
  const wanted = doors.map((door) => `${door}: the certificate ends at ${ends}`);
  for (let minute = 0; minute < 3; minute++) time.step(60_000);
  assert.deepEqual(told(), wanted);
  assert.deepEqual(
    logged().map(({ msg }) => msg),
    wanted,
    "each once",
  );
  time.step(3 * hour);
  assert.match(told().join(), /ended at/);
});
