import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createGrpcCheck } from "#authz/check/check";
import { createHttpCheck } from "#authz/check/http-check";
import { directorySource } from "#authz/rulesets/directory-source";
import { prepareEngine } from "#authz/rulesets/prepare";
import type { Service } from "#cli/serve/start-service";
import { bytesClient, checkPath } from "#test/support/service/grpc-client";
import { rawClient } from "#test/support/service/raw-http";
import { runService } from "#test/support/service/run-service";
import { tempFolder } from "#test/support/service/temp-folder";

const grpc = '{ name: grpc, protocol: grpc, address: "127.0.0.1:0" }';
const http = '{ name: http, protocol: http, address: "127.0.0.1:0" }';

async function configured(t: TestContext, listeners: string) {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  const write = async (next: string, rest = "") => {
    await writeFile(`${file}.new`, `listeners: [${next}]\npolicies: { directory: policies }\n${rest}`);
    await rename(`${file}.new`, file);
  };
  await write(listeners);
  const { service, lines } = await runService(t, file);
  return { folder, file, write, service, lines };
}

/** Resolves when the status fits; the file watcher is what makes it change. */
async function until(service: Service, fits: (service: Service) => boolean): Promise<void> {
  while (!fits(service)) await new Promise((resolve) => setImmediate(resolve));
}

const names = (service: Service) => [...service.addresses().keys()];

test("listeners are added and removed by an edit of the file; one that stays keeps its address and its connections", async (t) => {
  const { service, write } = await configured(t, `${grpc}, ${http}`);
  const address = service.addresses().get("http")!;
  const client = rawClient(t, address);
  client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.answers(1);
  await write(`${http}, { name: more, protocol: http, address: "127.0.0.1:0" }`);
  await until(service, (one) => names(one).join() === "http,more");
  assert.deepEqual(service.addresses().get("http"), address);
  client.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await client.answers(2)).length, 2);
  const added = rawClient(t, service.addresses().get("more")!);
  added.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await added.answers(1))[0]?.status, 200);
});

test("a configuration with a fault changes nothing but the status, and a right one clears it", async (t) => {
  const { service, write, lines } = await configured(t, grpc);
  const before = [...service.addresses()];
  await write("");
  await until(service, (one) => one.status().configuration.fault !== undefined);
  assert.match(service.status().configuration.fault!.messages[0]!, /:1:12: .*config\/value/);
  assert.deepEqual([...service.addresses()], before);
  assert.ok(lines().some(({ level, msg }) => level === "error" && /refused/.test(String(msg))));
  await write(grpc, "logging: { level: warn }\n");
  await until(service, (one) => one.status().configuration.fault === undefined);
  assert.deepEqual([...service.addresses()], before);
});

test("a listener that cannot be opened leaves everything as it was", async (t) => {
  const { service, write } = await configured(t, `${grpc}, ${http}`);
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const before = [...service.addresses()];
  await write(`${http}, { name: taken, protocol: grpc, address: "127.0.0.1:${port}" }`);
  const { ok, messages } = await service.reload();
  assert.equal(ok, false);
  assert.match(messages[0]!, /cannot listen/);
  assert.deepEqual([...service.addresses()], before);
  const client = bytesClient(service.addresses().get("grpc")!);
  t.after(() => client.close());
  await client.call(checkPath, new Uint8Array());
});

test("an address goes from one listener to another of the other protocol", async (t) => {
  const { service, write } = await configured(t, http);
  const { port } = service.addresses().get("http") as { port: number };
  await write(`{ name: again, protocol: grpc, address: "127.0.0.1:${port}" }`);
  assert.deepEqual(await service.reload().then(({ messages }) => messages.filter((one) => !/nothing/.test(one))), []);
  const client = bytesClient(service.addresses().get("again")!);
  t.after(() => client.close());
  await client.call(checkPath, new Uint8Array());
});

test("a missing certificate refuses the whole configuration", async (t) => {
  const { service, write } = await configured(t, grpc);
  await write(
    `${grpc}, { name: tls, protocol: grpc, address: "127.0.0.1:0", tls: { certificateFile: no.pem, keyFile: no.key } }`,
  );
  const { messages } = await service.reload();
  assert.match(messages[0]!, /cannot read .*no\.pem/);
  assert.deepEqual(names(service), ["grpc"]);
});

test("the end: readiness goes first, then listeners, within the deadline, and everything is answered before", async (t) => {
  const { service } = await configured(t, `${grpc}, ${http}`);
  const address = service.addresses().get("http")!;
  const client = rawClient(t, address);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.answers(1);
  const stopped = service.stop({ lingerMillis: 20, deadlineMillis: 5_000 });
  assert.equal(service.status().ending, true);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const answers = await client.answers(2);
  assert.deepEqual(answers[1]?.headers.at(-1), ["Connection", "close"]);
  await stopped;
  assert.deepEqual((await service.reload()).ok, false);
  assert.equal(await rawClient(t, address).ended, "");
});

const policy = (method: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: only, namespace: shop }
spec:
  action: ALLOW
  rules:
  - to: [{ operation: { methods: [${method}] } }]
`;

test("an edit of the policies is in force without anybody asking; a bad edit changes nothing but the status", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "policies"));
  const file = join(folder, "garita.yaml");
  const edit = join(folder, "policies/a.yaml");
  await writeFile(edit, policy("GET"));
  await writeFile(
    file,
    `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: shop, labels: {} } }]
policies: { directory: policies }
`,
  );
  const { service, lines } = await runService(t, file, {
    createGrpcCheck,
    createHttpCheck,
    createSource: ({ directory }) => directorySource(directory),
    prepare: prepareEngine,
  });
  const statusOf = async (method: string) => {
    const client = rawClient(t, service.addresses().get("http")!);
    client.send(`${method} /a?token=sesame HTTP/1.1\r\nHost: h\r\n\r\n`);
    return (await client.answers(1))[0]?.status;
  };
  assert.deepEqual([await statusOf("GET"), await statusOf("POST")], [200, 403]);
  const first = service.status().rules.active?.digest;
  await writeFile(edit, policy("POST"));
  await until(service, (one) => one.status().rules.active?.digest !== first);
  assert.deepEqual([await statusOf("GET"), await statusOf("POST")], [403, 200]);
  const second = service.status().rules.active?.digest;
  await writeFile(edit, `${policy("GET")}  tpyo: 1\n`);
  await until(service, (one) => !one.status().rules.current);
  assert.equal(service.status().rules.active?.digest, second);
  assert.deepEqual([await statusOf("GET"), await statusOf("POST")], [403, 200]);

  const denials = lines().filter(({ msg }) => msg === "denied");
  assert.equal(denials.length, 3);
  const { time, id, digest, ...denial } = denials[0]!;
  assert.deepEqual(denial, {
    level: "info",
    reason: "policy/not-allowed",
    status: 403,
    listener: "http",
    workload: "shop/?",
    method: "POST",
    host: "h",
    path: "/a",
    msg: "denied",
  });
  assert.match(String(id), /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(digest, first);
  assert.ok(time !== undefined);
  assert.doesNotMatch(JSON.stringify(lines()), /sesame/);
});
