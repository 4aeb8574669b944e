import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CheckEnvironment } from "#authz/check/contract";
import { directorySource } from "#authz/rulesets/directory-source";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { ServiceParts } from "#cli/serve/contract";
import { createOutside } from "#cli/serve/outside";
import type { KeySets } from "#identity/key-sources/contract";
import { allowingGrpc } from "#test/support/service/fake-checks";
import { runService } from "#test/support/service/run-service";
import { tempFolder } from "#test/support/service/temp-folder";

const policy = (issuer: string) => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec: { jwtRules: [{ issuer: "${issuer}", jwksUri: "http://127.0.0.1:1/${issuer}" }] }
`;

const http = (port: number) => `{ name: http-${port}, protocol: http, address: "127.0.0.1:${port}" }`;

/** A service with two folders of policies, of issuers `one` and `two`, that runs with the first. */
async function twoFolders(t: TestContext, parts: Partial<ServiceParts> = {}) {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  for (const issuer of ["one", "two"]) {
    await mkdir(join(folder, issuer));
    await writeFile(join(folder, issuer, "a.yaml"), policy(issuer));
  }
  const write = (directory: string, listeners: string) =>
    writeFile(file, `listeners: [${listeners}]\npolicies: { directory: ${directory} }\n`);
  await write("one", http(0));
  const { service } = await runService(t, file, {
    createSource: ({ directory }) => directorySource(directory),
    prepare: prepareEngine,
    ...parts,
  });
  const issuers = () => service.status().issuers?.map(({ name }) => name);
  return { folder, service, write, issuers };
}

test("a configuration that is refused after its policies were read leaves the issuers of the old ones followed", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const { service, write, issuers } = await twoFolders(t);
  assert.deepEqual(issuers(), ["http://127.0.0.1:1/one"]);
  await write("two", http(port));
  const refused = await service.reload();
  assert.match(refused.messages.join(), /EADDRINUSE|in use/);
  assert.deepEqual(issuers(), ["http://127.0.0.1:1/one"]);
  await write("two", http(0));
  assert.deepEqual(await service.reload(), { ok: true, messages: [] });
  assert.deepEqual(issuers(), ["http://127.0.0.1:1/two"]);
});

test("a reload that somebody asks for has the keys of issuers fetched anew", async (t) => {
  let asked = 0;
  let tell = () => {};
  const issuer = createHttpServer((_request, response) => {
    asked++;
    response.end('{"keys":[]}');
    tell();
  }).listen(0, "127.0.0.1");
  t.after(() => issuer.close());
  await once(issuer, "listening");
  const { port } = issuer.address() as { port: number };
  const { folder, service } = await twoFolders(t);
  await writeFile(join(folder, "one", "a.yaml"), policy("one").replace("127.0.0.1:1/", `127.0.0.1:${port}/`));
  const told = () => new Promise<void>((resolve) => (tell = resolve));
  const first = told();
  await service.reload();
  if (asked === 0) await first;
  const before = asked;
  const second = told();
  await service.reload();
  await second;
  assert.ok(asked > before);
});

test("keys that come while a configuration is on its way are those of its policies when it is in force", async (t) => {
  const old: KeySets = { of: () => ({ kind: "unfetched" }) };
  const renewed: KeySets = { of: () => ({ kind: "unusable" }) };
  let current = old;
  let environment: CheckEnvironment | undefined;
  const { service, write } = await twoFolders(t, {
    createGrpcCheck(given) {
      environment = given;
      return allowingGrpc;
    },
    createOutside(given) {
      const outside = createOutside({ ...given, environment: {} });
      return {
        ...outside,
        async equip(engine) {
          // Later than the rules are loaded, and before the listener listens.
          setImmediate(() => {
            current = renewed;
            given.onKeys(renewed);
          });
          return { ...(await outside.equip(engine)), keySets: current };
        },
        settle: (inForce) => ({ ...outside.settle(inForce), keySets: current }),
      };
    },
  });
  await new Promise((resolve) => setImmediate(resolve));
  current = old;
  await write("two", http(0));
  assert.deepEqual(await service.reload(), { ok: true, messages: [] });
  assert.equal(environment?.snapshot()?.keySets.of("any").kind, "unusable");
});
