import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { BuildResult, RuleSource } from "#authz/rulesets/build";
import { createHints } from "#authz/transport/webhook/hints";
import { webhookLimits } from "#authz/transport/webhook/limits";
import { createMetrics } from "#platform/metrics";
import { hexMac, hostDeliveries, hostSecret } from "#test/support/git/webhooks/deliveries";
import { post } from "#test/support/git/webhooks/post";
import { handTimers } from "#test/support/rulesets/hand-timers";
import { runService } from "#test/support/service/run-service";
import { tempFolder } from "#test/support/service/temp-folder";

/** A service whose source counts how often it is asked. */
async function listening(t: TestContext, { value = hostSecret, nowMillis = Date.now() } = {}) {
  const folder = await tempFolder(t);
  await writeFile(join(folder, "secret"), `${value}\n`, { mode: 0o600 });
  const file = join(folder, "garita.yaml");
  await writeFile(
    file,
    `listeners: [{ name: grpc, protocol: grpc, address: "127.0.0.1:0" }]
policies: { git: { url: /srv/none.git, folder: state, webhook: { address: "127.0.0.1:0", secretFile: secret } } }
`,
  );
  let asked = 0;
  const source: RuleSource = {
    name: "test",
    async build(): Promise<BuildResult> {
      asked++;
      return { kind: "failed", code: "git/unreachable", message: "there is nothing" };
    },
    watch: async () => async () => undefined,
    close: async () => undefined,
  };
  const time = handTimers(nowMillis);
  const metrics = createMetrics();
  const { service, lines } = await runService(t, file, {
    createGitSource: async () => source,
    clock: time.clock,
    timers: {
      after: (delay, run) => (delay === 1_000 ? time.timers.after(delay + 1, run) : time.timers.after(delay, run)),
    },
    metrics,
  });
  const address = service.webhookAddress();
  assert.ok(address?.kind === "tcp");
  asked = 0;
  const { port } = address;
  return {
    folder,
    service,
    lines,
    port,
    time,
    asked: () => asked,
    counted: async (result: string) =>
      Number(
        new RegExp(`^garita_webhook_deliveries_total\\{result="${result}"\\} (\\d+)$`, "m").exec(
          (await metrics.render()).text,
        )?.[1],
      ),
    send: (path: string, headers: Readonly<Record<string, string>>, body: string | Buffer, method = "POST") =>
      post({ port, path, headers, body, method }),
  };
}

for (const { host, proof, body, fields: fieldsOf } of hostDeliveries) {
  const nowSeconds = 1_790_000_000;
  const fields = fieldsOf(body, nowSeconds);
  test(`${host}, ${proof}: a push has the source asked once, a repeated one not again, a changed one never`, async (t) => {
    const { send, asked, counted, lines } = await listening(t, { nowMillis: nowSeconds * 1000 });
    const taken = await send(`/${host}`, fields, body);
    assert.deepEqual([taken.status, taken.body, asked()], [202, '{"asked":true}\n', 1]);
    const again = await send(`/${host}?x=1`, { ...fields, "x-github-delivery": "another" }, body);
    assert.deepEqual([again.status, again.body, asked()], [202, '{"asked":false}\n', 1]);
    const wrong = [
      await send(`/${host}`, { ...fields, [proof]: `${fields[proof]}x` }, body),
      await send(`/${host}`, { ...fields, [proof]: "" }, body),
      await send(`/${host}`, {}, body),
      ...(proof === "x-gitlab-token" ? [] : [await send(`/${host}`, fields, Buffer.concat([body, Buffer.from(" ")]))]),
    ];
    for (const { status, body: told } of wrong) {
      assert.equal(status, 401);
      assert.equal((JSON.parse(told) as { error: { code: string } }).error.code, "webhook/signature");
    }
    assert.deepEqual(
      [await counted("taken"), await counted("repeated"), await counted("wrong-signature"), asked()],
      [1, 1, wrong.length, 1],
    );
    const told = JSON.stringify(lines());
    assert.match(told, /"code":"webhook\/signature"/);
    assert.ok(!told.includes(hostSecret) && !told.includes(fields[proof]!), "neither secret nor signature");
  });
}

test("one host's fields at another's path are not believed", async (t) => {
  const { send, asked } = await listening(t);
  for (const { host, fields } of hostDeliveries) {
    for (const other of ["github", "gitlab", "gitea", "forgejo"].filter((one) => one !== host)) {
      // Gitea sends what GitHub would too.
      if (host === "gitea" && other === "github") continue;
      const { status } = await send(`/${other}`, fields(Buffer.from("{}"), Date.now() / 1000), "{}");
      assert.equal(status, 401, `${host} at /${other}`);
    }
  }
  assert.equal(asked(), 0);
});

test("a delivery whose time is signed is refused when it is older or newer than five minutes", async (t) => {
  const nowSeconds = 1_790_000_000;
  const { send, asked } = await listening(t, {
    nowMillis: nowSeconds * 1000,
    value: `whsec_${Buffer.from("key").toString("base64")}`,
  });
  const sent = async (seconds: number) => {
    const mac = createHmac("sha256", "key").update(`a.${seconds}.{}`).digest("base64");
    const fields = { "webhook-id": "a", "webhook-timestamp": `${seconds}`, "webhook-signature": `v1,${mac}` };
    return (await send("/gitlab", fields, "{}")).status;
  };
  assert.deepEqual([await sent(nowSeconds - 301), await sent(nowSeconds + 301), asked()], [401, 401, 0]);
  assert.deepEqual([await sent(nowSeconds - 299), asked()], [202, 1]);
});

test("what is no delivery is refused: path, method, size, and bodies that never end", async (t) => {
  const { send, asked, counted, port } = await listening(t);
  const elsewhere = await send("/", {}, "");
  assert.deepEqual([elsewhere.status, JSON.parse(elsewhere.body).error.code], [404, "webhook/request"]);
  assert.equal((await send("/metrics", {}, "", "GET")).status, 404);
  assert.equal((await send("/github", {}, "", "GET")).status, 405);
  const large = Buffer.alloc(webhookLimits.deliveryBytes + 1);
  const refused = await send("/github", { "x-hub-signature-256": `sha256=${hexMac(large)}` }, large).catch(
    () => undefined,
  );
  // The end of the connection may come before the answer was read.
  assert.ok(refused === undefined || refused.status === 413);
  assert.equal(await counted("not-understood"), 4);
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST /gitlab HTTP/1.1\r\nHost: h\r\nx-gitlab-token: wrong\r\nContent-Length: 1000000\r\n\r\n`);
  const [first] = (await new Promise<Buffer[]>((resolve) =>
    socket.once("data", (chunk: Buffer) => resolve([chunk])),
  )) as [Buffer];
  assert.match(first.toString(), /^HTTP\/1.1 401 /, "a wrong token is answered before the body has come");
  socket.destroy();
  assert.equal(asked(), 0);
});

test("hints are passed on at once, and then once in each gap", () => {
  const time = handTimers();
  let passed = 0;
  const hints = createHints(10_000, time.timers, () => passed++);
  hints.give();
  assert.equal(passed, 1);
  for (let i = 0; i < 1_000; i++) hints.give();
  assert.equal(passed, 1);
  time.step(10_000);
  assert.equal(passed, 2, "none is lost");
  time.step(10_000);
  assert.equal(passed, 2);
  hints.give();
  assert.equal(passed, 3);
  hints.stop();
});

test("the secret is read again when the configuration is; one that others can read refuses it", async (t) => {
  const { folder, service } = await listening(t);
  const before = service.webhookAddress();
  await writeFile(join(folder, "secret"), "another");
  await service.reload();
  const address = service.webhookAddress();
  assert.ok(address?.kind === "tcp" && before?.kind === "tcp");
  const asked = await post({
    port: address.port,
    path: "/gitlab",
    headers: { "x-gitlab-token": "another" },
    body: "{}",
  });
  assert.equal(asked.status, 202);
  await chmod(join(folder, "secret"), 0o644);
  assert.match((await service.reload()).messages[0] ?? "", /mode 0644/);
  assert.deepEqual(service.webhookAddress(), address, "the old one stays");
});
