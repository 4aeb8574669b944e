import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cli, main } from "#test/support/cli/run-cli";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { rawClient } from "#test/support/service/raw-http";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

/** GET at the admin socket. */
async function getFromSocket(admin: string, path: string) {
  const asked = request({ socketPath: admin.slice("unix:".length), path, headers: { host: "localhost" } }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, body: Buffer.concat(chunks).toString("utf8") };
}

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
  // Denials are written after their answers.
  const denial = () =>
    lines()
      .split("\n")
      .slice(0, -1)
      .findLast((line) => line.includes('"denied"'))!;
  await until(() => JSON.parse(denial()).commit === second);
  const { digest } = JSON.parse(denial());
  assert.ok(synced.out.includes(`\ndigest: ${digest}\n`), synced.out);

  const third = await repository.commit({ "a.yaml": "kind: [" });
  const refused = await cli(["sync", "--admin", admin, "--format", "json"]);
  const { ok, result, commit, message } = JSON.parse(refused.out);
  assert.deepEqual([refused.status, ok, result, commit], [5, false, "refused", second]);
  assert.match(message, /^a\.yaml:1:/);
  assert.equal(await ask("/two"), 200, "decisions go on");

  const { rules } = JSON.parse((await getFromSocket(admin, "/v1/status")).body);
  const { active, candidate, ready, current, degraded } = rules;
  assert.deepEqual(
    [active.digest, active.revision],
    [digest, { commit: second, subject: "the second [31m", author: "Ada" }],
  );
  assert.deepEqual([candidate.revision.commit, candidate.code], [third, "policy/invalid"]);
  assert.deepEqual([candidate.diagnostics[0].file, candidate.diagnostics[0].start.line], ["a.yaml", 1]);
  assert.deepEqual([ready, current, degraded.reason], [true, false, candidate.message]);
  assert.ok(rules.lastSuccessMillis < rules.lastAttemptMillis && rules.lastAttemptMillis < rules.nextAttemptMillis);
  const metrics = (await getFromSocket(admin, "/metrics")).body;
  assert.ok(metrics.includes(`\ngarita_ruleset_info{digest="${digest}"} 1\n`), metrics);
  assert.ok(metrics.includes(`\ngarita_ruleset_commit_info{commit="${second}",signer=""} 1\n`), metrics);
  assert.match(metrics, /^garita_ruleset_current 0$/m);
});

test("`garita pin` goes back to a commit, tells it wherever one looks, and `garita unpin` ends it", async (t) => {
  const repository = await testRepository(t);
  const first = await repository.commit({ "a.yaml": allowing("/one") }, "the first");
  const second = await repository.commit({ "a.yaml": allowing("/two") });
  const { ask, admin, lines } = await serving(t, repository.url);
  const pinned = await cli(["pin", first.slice(0, 8), "--for", "2h", "--admin", admin]);
  assert.deepEqual([pinned.status, pinned.err], [0, ""]);
  assert.match(pinned.out, /^activated\nin force: [0-9a-f]{12} the first \(Ada\)\npinned until: 20\S+Z\ndigest: /);
  assert.deepEqual([await ask("/one"), await ask("/two")], [200, 403]);
  const told = `the policies are pinned to ${first.slice(0, 12)} until`;
  const page = async (path: string) => (await getFromSocket(admin, path)).body;
  assert.ok((JSON.parse(await page("/v1/status")) as { warnings: string[] }).warnings[0]?.startsWith(told));
  assert.match(await page("/metrics"), /^garita_ruleset_pinned 1$/m);
  assert.equal(await page("/readyz"), '{"status":"degraded"}');
  assert.match(lines(), /"level":"warn".*the policies are pinned/);

  const synced = await cli(["sync", "--admin", admin]);
  assert.equal(synced.status, 5);
  assert.ok(synced.out.startsWith(`unchanged: ${told}`), synced.out);
  const refused = await cli(["pin", "0000000", "--for", "7d", "--admin", admin]);
  assert.equal(refused.status, 5);
  assert.match(refused.out, /^refused: the history of `HEAD` has no single commit `0000000`/);

  const unpinned = await cli(["unpin", "--admin", admin, "--format", "json"]);
  assert.deepEqual([unpinned.status, JSON.parse(unpinned.out).commit], [0, second]);
  assert.deepEqual([await ask("/one"), await ask("/two")], [403, 200]);
  assert.match(await page("/metrics"), /^garita_ruleset_pinned 0$/m);
});

test("`garita sync` says what it could not ask", async (t) => {
  const missing = await cli(["sync", "--admin", `unix:${await tempFolder(t)}/none`]);
  assert.equal(missing.status, 1);
  assert.match(missing.err, /\[service\/unreachable\]\n$/);
  const without = await cli(["sync"]);
  assert.equal(without.status, 2);
});
