import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { createGrpcCheck } from "#authz/check/check";
import { createHttpCheck } from "#authz/check/http-check";
import { directorySource } from "#authz/rulesets/directory-source";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import type { WantedAuthority } from "#cli/serve/authority/switch";
import type { Service } from "#cli/serve/contract";
import { lastingPort } from "#test/support/lasting-port";
import { createAuthority } from "#test/support/service/certificates";
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

/** More than every poll of the watchers, on a machine that others use too. */
const patienceMillis = 60_000;

/** Resolves when the status fits; the file watcher is what makes it change. */
async function until(service: Service, fits: (service: Service) => boolean): Promise<void> {
  const begun = performance.now();
  while (!fits(service)) {
    if (performance.now() - begun > patienceMillis) assert.fail(JSON.stringify(service.status().rules));
    await new Promise((resolve) => setImmediate(resolve));
  }
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

test("a configuration that is refused is told once for each text, however often it is read", async (t) => {
  const { service, write, lines, file } = await configured(t, grpc);
  const told = () => lines().filter(({ level, msg }) => level === "error" && /refused/.test(String(msg))).length;
  const refused = async (listeners: string) => {
    await write(listeners);
    assert.equal((await service.reload()).ok, false);
  };
  await refused("");
  await refused("");
  await writeFile(file, await readFile(file));
  await service.reload();
  assert.equal(told(), 1);
  assert.equal(service.status().configuration.fault?.messages.length, 1, "the status has it all the while");
  await refused("{}");
  assert.equal(told(), 2, "another text");
  await write(grpc);
  await service.reload();
  await refused("{}");
  assert.equal(told(), 3, "it had been right meanwhile");
});

test("a listener that cannot be opened leaves everything as it was", async (t) => {
  const { service, write, lines } = await configured(t, `${grpc}, ${http}`);
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  const before = [...service.addresses()];
  const other = '{ name: other, protocol: http, address: "127.0.0.1:0" }';
  await write(`${http}, ${other}, { name: taken, protocol: grpc, address: "127.0.0.1:${port}" }`);
  const { ok, messages } = await service.reload();
  assert.equal(ok, false);
  assert.match(messages[0]!, /cannot listen/);
  const told = lines().filter(({ msg }) => msg === "listening" || msg === "listener closed");
  assert.deepEqual(
    told.map(({ listener }) => listener),
    ["grpc", "http"],
    "what was opened in vain is not told",
  );
  assert.deepEqual([...service.addresses()], before);
  const client = bytesClient(service.addresses().get("grpc")!);
  t.after(() => client.close());
  await client.call(checkPath, new Uint8Array());
});

test("an address goes from one listener to another of the other protocol", async (t) => {
  const address = `127.0.0.1:${await lastingPort()}`;
  const { service, write } = await configured(t, `{ name: http, protocol: http, address: "${address}" }`);
  await write(`{ name: again, protocol: grpc, address: "${address}" }`);
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

test("a certificate that is exchanged on disk is used from the next connection on", async (t) => {
  const folder = await tempFolder(t);
  const [old, next] = [createAuthority(folder, "old"), createAuthority(folder, "next")];
  const place = (authority: typeof old, name: string) => {
    const { cert, key } = authority.issue(name, "DNS:localhost");
    return Promise.all([writeFile(join(folder, "c.pem"), cert), writeFile(join(folder, "k.pem"), key)]);
  };
  await place(old, "one");
  const file = join(folder, "garita.yaml");
  const tls = "tls: { certificateFile: c.pem, keyFile: k.pem }";
  await writeFile(
    file,
    `listeners: [{ name: tls, protocol: grpc, address: "127.0.0.1:0", ${tls} }]\npolicies: { directory: policies }\n`,
  );
  const { service } = await runService(t, file);
  const asks = async (authority: typeof old) => {
    const client = bytesClient(service.addresses().get("tls")!, credentials.createSsl(authority.ca), {
      "grpc.use_local_subchannel_pool": 1,
    });
    try {
      await client.call(checkPath, new Uint8Array(), undefined, 5_000);
      return true;
    } catch {
      return false;
    } finally {
      client.close();
    }
  };
  assert.deepEqual([await asks(old), await asks(next)], [true, false]);
  const before = service.status().listeners[0]?.certificateNotAfterMillis;
  await writeFile(join(folder, "c.pem"), "half a certifi");
  await until(service, (one) => one.status().configuration.fault !== undefined);
  assert.match(service.status().configuration.fault!.messages[0]!, /c\.pem/);
  assert.equal(await asks(old), true);
  await place(next, "two");
  await until(service, (one) => one.status().configuration.fault === undefined);
  assert.deepEqual([await asks(old), await asks(next)], [false, true]);
  assert.ok(before !== undefined);
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

test("a service that is told to end while it reads its configuration opens nothing any more", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  await writeFile(file, `listeners: [${http}]\npolicies: { directory: one }\n`);
  const [asked, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const open = new Set<string>();
  const { service, lines } = await runService(t, file, {
    createSource(policies) {
      const { directory } = policies as { directory: string };
      open.add(directory);
      return {
        name: directory,
        async build() {
          if (directory.endsWith("two")) {
            asked.resolve();
            await goesOn.promise;
          }
          return { kind: "failed", code: "source/missing", message: "there is nothing" };
        },
        watch: async () => async () => undefined,
        async close() {
          open.delete(directory);
        },
      };
    },
  });
  await writeFile(file, `listeners: [${grpc}]\npolicies: { directory: two }\nadmin: { address: "127.0.0.1:0" }\n`);
  const reloading = service.reload();
  await asked.promise;
  await service.stop({ lingerMillis: 0, deadlineMillis: 5_000 });
  assert.equal(open.size, 0, "what is on its way ends too");
  goesOn.resolve();
  assert.deepEqual(await reloading, { ok: false, messages: ["the service is about to end"] });
  assert.deepEqual([[...service.addresses()], service.adminAddresses()], [[], []]);
  assert.ok(!lines().some(({ msg }) => /in force|refused/.test(String(msg))), JSON.stringify(lines()));
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

test("a policy folder that comes later comes into force, with everything denied until then", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  await writeFile(
    file,
    `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: shop, labels: {} } }]
policies: { directory: policies }
`,
  );
  const { service } = await runService(t, file, {
    createGrpcCheck,
    createHttpCheck,
    createSource: ({ directory }) => directorySource(directory),
    prepare: prepareEngine,
  });
  const statusOfGet = async () => {
    const client = rawClient(t, service.addresses().get("http")!);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    return (await client.answers(1))[0]?.status;
  };
  assert.equal(service.status().rules.candidate?.code, "source/missing");
  assert.equal(await statusOfGet(), 403);
  await mkdir(join(folder, "next"));
  await writeFile(join(folder, "next/a.yaml"), policy("GET"));
  await rename(join(folder, "next"), join(folder, "policies"));
  await until(service, (one) => one.status().rules.ready);
  assert.equal(await statusOfGet(), 200);
});

test("while rules are exchanged under load every request is answered, and as both rule sets say where they agree", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "policies"));
  const edit = join(folder, "policies/a.yaml");
  await writeFile(edit, policy("GET, PUT"));
  const file = join(folder, "garita.yaml");
  await writeFile(
    file,
    `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: shop, labels: {} } }]
policies: { directory: policies }
logging: { level: error }
`,
  );
  const { service } = await runService(t, file, {
    createGrpcCheck,
    createHttpCheck,
    createSource: ({ directory }) => directorySource(directory),
    prepare: prepareEngine,
  });
  let exchanges = 0;
  let asked = 0;
  const address = service.addresses().get("http")!;
  const lane = async () => {
    const client = rawClient(t, address);
    for (let count = 1; exchanges < 6; count++, asked++) {
      const method = count % 2 === 0 ? "GET" : "DELETE";
      client.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
      const answers = await client.answers(1);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [method === "GET" ? 200 : 403],
      );
      client.forget();
    }
  };
  const edits = async () => {
    for (; exchanges < 6; exchanges++) {
      const before = service.status().rules.active?.digest;
      // Whole: a file that is only begun allows something else.
      await writeFile(`${folder}/next.yaml`, policy(exchanges % 2 === 0 ? "GET, POST" : "GET, PUT"));
      await rename(`${folder}/next.yaml`, edit);
      await until(service, (one) => one.status().rules.active?.digest !== before);
    }
  };
  await Promise.all([edits(), lane(), lane(), lane()]);
  assert.ok(asked > 100, `${asked} requests`);
});

/** Two versions of a policy folder behind one link, and what exchanges them. */
const exchanges: readonly (readonly [
  title: string,
  before: (folder: string) => Promise<void>,
  exchange: (folder: string) => Promise<void>,
])[] = [
  [
    "a link to the folder",
    (folder) => symlink("v1", join(folder, "policies")),
    async (folder) => {
      await symlink("v2", join(folder, "next"));
      await rename(join(folder, "next"), join(folder, "policies"));
    },
  ],
  [
    "the link of mounted configuration inside of it",
    async (folder) => {
      const root = join(folder, "policies");
      await mkdir(root);
      for (const version of ["v1", "v2"]) await rename(join(folder, version), join(root, `..${version}`));
      await symlink("..v1", join(root, "..data"));
      await symlink("..data/a.yaml", join(root, "a.yaml"));
    },
    async (folder) => {
      const root = join(folder, "policies");
      await symlink("..v2", join(root, "..data_tmp"));
      await rename(join(root, "..data_tmp"), join(root, "..data"));
      await rm(join(root, "..v1"), { recursive: true });
    },
  ],
  [
    "another folder renamed in its place",
    (folder) => rename(join(folder, "v1"), join(folder, "policies")),
    async (folder) => {
      await rename(join(folder, "policies"), join(folder, "old"));
      await rename(join(folder, "v2"), join(folder, "policies"));
    },
  ],
];

for (const [title, before, exchange] of exchanges) {
  test(`${title}: an exchange is in force, and so is an edit after it`, async (t) => {
    const folder = await tempFolder(t);
    for (const [name, method] of [
      ["v1", "GET"],
      ["v2", "POST"],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, "a.yaml"), policy(method));
    }
    await before(folder);
    const file = join(folder, "garita.yaml");
    await writeFile(file, `listeners: [${grpc}]\npolicies: { directory: policies }\n`);
    const { service } = await runService(t, file, {
      createSource: ({ directory }) => directorySource(directory),
      prepare: prepareEngine,
    });
    const first = service.status().rules.active?.digest;
    assert.ok(first !== undefined);
    await exchange(folder);
    await until(service, (one) => one.status().rules.current && one.status().rules.active?.digest !== first);
    const second = service.status().rules.active?.digest;
    await writeFile(join(folder, "policies/a.yaml"), policy("PUT"));
    await until(service, (one) => one.status().rules.active?.digest !== second);
  });
}

test("a configuration whose certificate authority cannot start changes no listener; one whose listener cannot start, no authority", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  const write = (text: string) => writeFile(file, `${text}\npolicies: { directory: policies }\n`);
  await write(`listeners: [${grpc}]`);
  let running: string | undefined;
  let next = "first";
  const { service } = await runService(t, file, {
    createAuthority: () => ({
      prepare: async () => ({ mark: next }) as WantedAuthority,
      async become(wanted) {
        if (wanted?.mark === "broken") throw new Error("the store is locked");
        running = wanted?.mark;
      },
      wanted: () => (running === undefined ? undefined : ({ mark: running } as WantedAuthority)),
      addresses: () => [],
      summary: () => undefined,
      stop: async () => undefined,
    }),
  });
  const before = [...service.addresses()];
  next = "broken";
  await write(`listeners: [${http}]`);
  assert.equal((await service.reload()).messages[0], "the store is locked");
  assert.deepEqual([[...service.addresses()], running], [before, "first"]);

  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  next = "second";
  await write(`listeners: [${grpc}, { name: http, protocol: http, address: "127.0.0.1:${port}" }]`);
  assert.match((await service.reload()).messages[0] ?? "", /EADDRINUSE/);
  assert.deepEqual([[...service.addresses()], running], [before, "first"]);
});

test("what cannot be put back is told, and keeps neither the rest nor the reason back", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  const admin = (name: string) => `admin: { socket: ${join(folder, name)} }\npolicies: { directory: policies }\n`;
  await writeFile(file, `listeners: [${grpc}]\n${admin("a.sock")}`);
  let changes = 0;
  const { service, lines } = await runService(t, file, {
    createRevocations: () => ({
      current: () => undefined,
      inForce: () => undefined,
      own: () => undefined,
      async become() {
        if (++changes === 3) throw new Error("the list is gone");
      },
      ready: () => true,
      status: () => undefined,
      warnings: () => [],
      stop: async () => undefined,
    }),
  });
  const before = service.adminAddresses();
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const wanted = `listeners: [{ name: http, protocol: http, address: "127.0.0.1:${port}" }]\n${admin("b.sock")}`;
  await writeFile(file, wanted);
  assert.match((await service.reload()).messages[0] ?? "", /EADDRINUSE/);
  assert.deepEqual(service.adminAddresses(), before);
  assert.ok(lines().some(({ msg, fault }) => msg === "the deny list is not back" && fault === "the list is gone"));
});
