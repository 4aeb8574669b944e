import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cli, main } from "#test/support/cli/run-cli";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { rawClient } from "#test/support/service/raw-http";
import { tempFolder } from "#test/support/service/temp-folder";

/** The program with policies in Git, its admin socket open. Ends with the test. */
async function serving(t: TestContext, url: string) {
  const folder = await tempFolder(t);
  await writeFile(
    join(folder, "garita.yaml"),
    `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: shop, labels: {} } }]
policies: { git: { url: "${url}", folder: state, pollSeconds: 3600 } }
admin: { socket: admin.sock }
`,
  );
  const child = spawn(process.execPath, [main, "serve", "--config", join(folder, "garita.yaml")], { stdio: "pipe" });
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  const ready = Promise.withResolvers<number>();
  const take = (chunk: Buffer) => {
    text += chunk.toString("utf8");
    const port = /"listener":"http".*127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port !== undefined && text.includes("admin.sock")) ready.resolve(Number(port));
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.on("close", () => ready.reject(new Error(`it ended: ${text}`)));
  const port = await ready.promise;
  const ask = async (path: string) => {
    const client = rawClient(t, { kind: "tcp", host: "127.0.0.1", port });
    client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    return (await client.answers(1))[0]?.status;
  };
  return { ask, admin: `unix:${join(folder, "admin.sock")}`, lines: () => text };
}

test("a push is in force after `garita sync`, and a bad one is told by it", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const { ask, admin, lines } = await serving(t, repository.url);
  assert.deepEqual([await ask("/one"), await ask("/two")], [200, 403], lines());
  const second = await repository.commit({ "a.yaml": allowing("/two") }, "the second\u001b[31m");
  const synced = await cli(["sync", "--admin", admin]);
  assert.deepEqual([synced.status, synced.err], [0, ""]);
  assert.match(synced.out, new RegExp(`^activated\nin force: ${second.slice(0, 12)} the second.* \\(Ada\\)\ndigest: `));
  assert.ok(!synced.out.includes("\u001b"));
  assert.deepEqual([await ask("/one"), await ask("/two")], [403, 200]);
  const denial = lines()
    .split("\n")
    .findLast((line) => line.includes('"denied"'))!;
  assert.equal(JSON.parse(denial).commit, second);

  await repository.commit({ "a.yaml": "kind: [" });
  const refused = await cli(["sync", "--admin", admin, "--format", "json"]);
  const { ok, result, commit, message } = JSON.parse(refused.out);
  assert.deepEqual([refused.status, ok, result, commit], [5, false, "refused", second]);
  assert.match(message, /^a\.yaml:1:/);
  assert.equal(await ask("/two"), 200, "decisions go on");
});

test("`garita sync` says what it could not ask", async (t) => {
  const missing = await cli(["sync", "--admin", `unix:${await tempFolder(t)}/none`]);
  assert.equal(missing.status, 1);
  assert.match(missing.err, /\[service\/unreachable\]\n$/);
  const without = await cli(["sync"]);
  assert.equal(without.status, 2);
});
