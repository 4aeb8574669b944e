import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { envoyJson, envoyYaml, parseEnvoyJson } from "#envoy-configs/envoy-json";
import { defaultPlaces, scenarios } from "#envoy-configs/scenarios";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { validateEnvoyConfig } from "#test/support/envoy/run-envoy";

const folder = new URL("../../envoy-configs/scenarios/", import.meta.url);
const text = (name: string) => readFileSync(new URL(`${name}.yaml`, folder), "utf8");

let certificates: Certificates;
let temporary: string;
before(async () => {
  certificates = await makeCertificates();
  temporary = await mkdtemp(join(tmpdir(), "garita-scenarios-"));
});
after(async () => {
  await certificates.remove();
  await rm(temporary, { recursive: true, force: true });
});

test("every scenario has a file and every file a scenario", () => {
  const files = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ""));
  assert.deepEqual(files.sort(), Object.keys(scenarios).sort());
});

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`${name}.yaml says what its builder says`, () => {
    const written = parseEnvoyJson(parse(text(name)));
    assert.deepEqual(envoyJson(written), envoyJson(scenario(defaultPlaces)));
  });

  test(`${name}.yaml is valid for a real Envoy`, async (t) => {
    const envoy = await envoyOrSkip(t);
    if (envoy === undefined) return;
    const file = join(temporary, `${name}.yaml`);
    await writeFile(file, text(name).replaceAll(defaultPlaces.certificates, certificates.directory));
    assert.equal(await validateEnvoyConfig(envoy, file), undefined);
  });

  test(`${name} as the builder prints it is valid for a real Envoy`, async (t) => {
    const envoy = await envoyOrSkip(t);
    if (envoy === undefined) return;
    const file = join(temporary, `${name}-built.yaml`);
    await writeFile(file, envoyYaml(scenario({ ...defaultPlaces, certificates: certificates.directory })));
    assert.equal(await validateEnvoyConfig(envoy, file), undefined);
  });
}

test("a real Envoy refuses a field that does not exist", async (t) => {
  const envoy = await envoyOrSkip(t);
  if (envoy === undefined) return;
  const file = join(temporary, "broken.yaml");
  await writeFile(file, text("http-service").replace("allowed_headers:", "allowed_headerz:"));
  assert.match((await validateEnvoyConfig(envoy, file)) ?? "", /allowed_headerz/);
});
