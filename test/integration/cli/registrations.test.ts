import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import { buildRegistrations } from "#ca/registration/build-registrations";
import { matchEntries } from "#ca/registration/match-entries";
import { registrationEntries } from "#cli/serve/registration-entries";
import { joining } from "#test/support/ca/registration";
import { cli, folderOf, readers } from "#test/support/cli/run-cli";

const web = "spiffe://hello.mesh/ns/hello/sa/web";
const registration = (spec: string) => `apiVersion: garita.dev/v1alpha1
kind: WorkloadRegistration
metadata: { name: web, namespace: hello }
spec:
${spec}`;
const right = registration(`  spiffeId: ${web}
  callers:
    - joinToken: {}
`);
const mesh = "trustDomain: hello.mesh\n";

test("a folder of registrations alone is valid, and says how many it has", async (t) => {
  const folder = await folderOf(t, { "mesh.yaml": mesh, "hello/web.yaml": right });
  const { status, out, err } = await cli(["check", folder, "--fail-on", "warning"]);
  assert.deepEqual([status, err], [0, ""]);
  assert.match(out, /^valid: 0 AuthorizationPolicies, 0 rules, 1 registration, digest [0-9a-f]{12}\n$/);
});

test("what is wrong with a registration is told with its place, and keeps the policies beside it back", async (t) => {
  const folder = await folderOf(t, {
    "mesh.yaml": mesh,
    "p.yaml": readers,
    "hello/web.yaml": registration(`  spiffeId: spiffe://hello.mesh/ns/{ns}-{sa}
  callers:
    - jwt:
        issuer: https://i
        claim: { sub: a }
    - joinToken: {}
`),
    "hello/db.yaml": registration(`  spiffeId: spiffe://cluster.local/ns/hello/sa/db
  callers:
    - jwt: { issuer: https://i }
  dnsNames: ["*.db"]
`).replace("name: web", "name: db"),
  });
  const { status, out } = await cli(["check", folder]);
  assert.equal(status, 3);
  const told = [...out.matchAll(/^(\S+): (\w+)\[(\S+)\]: /gm)].map(([, place, severity, code]) => [
    place?.slice(folder.length + 1),
    severity,
    code,
  ]);
  assert.deepEqual(told, [
    ["hello/db.yaml:5:13", "error", "registration/trust-domain"],
    ["hello/db.yaml:7:12", "warning", "registration/everybody"],
    ["hello/db.yaml:8:14", "error", "registration/dns-name"],
    ["hello/web.yaml:5:13", "error", "registration/template"],
    ["hello/web.yaml:9:9", "error", "document/unknown-field"],
    ["hello/web.yaml:10:18", "error", "registration/template-caller"],
  ]);
  const compiled = await cli(["compile", folder, "-o", join(folder, "rules.bin")]);
  assert.deepEqual([compiled.status, compiled.out], [3, ""]);
});

test("registrations are in the compiled rules, from which the authority takes them", async (t) => {
  const folder = await folderOf(t, {
    "policies/mesh.yaml": mesh,
    "policies/p.yaml": readers,
    "policies/w.yaml": right,
  });
  const file = join(folder, "rules.bin");
  assert.equal((await cli(["compile", `${folder}/policies`, "-o", file])).status, 0);
  const bytes = new Uint8Array(await readFile(file));
  const { ruleSet } = prepareEngine(bytes, createHash("sha256").update(bytes).digest("hex"));
  assert.equal(ruleSet.policies.length, 1);
  const registrations = buildRegistrations(registrationEntries(ruleSet));
  const [match = assert.fail()] = matchEntries(registrations, joining(web), undefined);
  assert.deepEqual([match.entry.name, match.id.toString()], ["hello/web", web]);
});

test("requests are decided as they were without registrations", async (t) => {
  const request = ["--namespace", "shop", "--path", "/", "--format", "json"];
  const decided = async (files: Readonly<Record<string, string>>) => {
    const { out, err } = await cli(["eval", await folderOf(t, files), ...request]);
    assert.equal(err, "");
    return { ...JSON.parse(out), digest: undefined };
  };
  const files = { "mesh.yaml": mesh, "p.yaml": readers };
  assert.deepEqual(await decided({ ...files, "w.yaml": right }), await decided(files));
});
