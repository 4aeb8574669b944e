import assert from "node:assert/strict";
import { test } from "node:test";
import type { RevocationsStatus } from "#cli/serve/revocations/contract";
import { cli } from "#test/support/cli/run-cli";
import { startAssembled } from "#test/support/service/assembled";

const ca = `ca:
  trustDomain: hello.mesh
  store: state/ca.sqlite
  keyEncryptionKeyFile: kek
  socket: ca.sock
`;
const [web, gone] = ["spiffe://hello.mesh/ns/hello/sa/web", "spiffe://hello.mesh/ns/hello/sa/gone"];
const fingerprint = "0a".repeat(32);

test("a service with an authority of its own decides by its deny list, without configuration, from the first request on", async (t) => {
  const scene = await startAssembled(t, ca);
  assert.equal(await scene.ask({ uri: gone }), "200");
  await scene.ca("revoke", gone, "--reason", "lost");
  assert.equal(await scene.ask({ uri: gone }), "403 revoked");
  assert.equal(await scene.ask({ uri: web, fingerprint }), "200");
  await scene.ca("revoke", "--fingerprint", fingerprint, "--reason", "lost");
  assert.equal(await scene.ask({ uri: web, fingerprint }), "403 revoked");
  assert.equal(await scene.ask({ uri: web }), "200");
  const { revocations, warnings } = scene.service.status();
  const { list, ...rest } = revocations as RevocationsStatus;
  assert.deepEqual(rest, { source: "own", ready: true, trustDomain: "hello.mesh" });
  assert.ok(list);
  const { ageSeconds, ...told } = list;
  assert.ok(ageSeconds <= 5);
  assert.deepEqual(told, { sequence: 2 ** 32 + 2, certificates: 1, identities: 1, from: "own" });
  assert.deepEqual(
    warnings.filter((warning) => warning.startsWith("deny list")),
    [],
  );
});

test("the list survives a reload that starts the authority anew, and rules that come into force later", async (t) => {
  const scene = await startAssembled(t, ca);
  await scene.ca("revoke", gone, "--reason", "lost");
  assert.deepEqual(await scene.reconfigure(`${ca}  issuing: { lifetimeSeconds: 2592000 }\n`), []);
  assert.equal(await scene.ask({ uri: gone }), "403 revoked");
  await scene.ca("revoke", web, "--reason", "lost");
  assert.equal(await scene.ask({ uri: web }), "403 revoked");
});

test("after a restart the list counts from the first request on", async (t) => {
  const scene = await startAssembled(t, ca);
  await scene.ca("revoke", gone, "--reason", "lost");
  const again = await scene.restart();
  assert.equal(await again.ask({ uri: gone }), "403 revoked");
});

test("where the authority goes, its list goes too", async (t) => {
  const scene = await startAssembled(t, ca);
  await scene.ca("revoke", gone, "--reason", "lost");
  assert.deepEqual(await scene.reconfigure(""), []);
  assert.equal(await scene.ask({ uri: gone }), "200");
  assert.equal(scene.service.status().revocations, undefined);
});

test("garita explain tells that it is the deny list, and which of its members", async (t) => {
  const scene = await startAssembled(t, `admin: { socket: admin.sock }\n${ca}`);
  await scene.ca("revoke", gone, "--reason", "lost");
  await scene.ca("revoke", "--fingerprint", fingerprint, "--reason", "lost");
  const explain = (...args: string[]) =>
    cli(["explain", "--admin", `unix:${scene.folder}/admin.sock`, "--namespace", "hello", "--no-labels", ...args]);
  const byIdentity = await explain("--principal", gone);
  assert.match(
    byIdentity.out,
    /^deny {2}403 {2}revoked {2}identity spiffe:\/\/hello\.mesh\/ns\/hello\/sa\/gone \(deny list /,
  );
  const byPrint = await explain(
    "--principal",
    web,
    "--fingerprint",
    fingerprint.toUpperCase().replace(/..(?=.)/g, "$&:"),
  );
  assert.match(byPrint.out, /^deny {2}403 {2}revoked {2}certificate (0a){32} \(deny list /);
  assert.match((await explain("--principal", web)).out, /^allow/);
});
