import assert from "node:assert/strict";
import { once } from "node:events";
import { rename, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { type TestContext, test } from "node:test";
import { cli } from "#test/support/cli/run-cli";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { servePolicies } from "#test/support/service/serve-process";
import { tempFolder } from "#test/support/service/temp-folder";

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
  return servePolicies(t, await tempFolder(t), `{ git: { url: "${url}", folder: state, pollSeconds: 3600 } }`);
}

test("a push is in force after `garita sync`, and a bad one is told by it", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const { ask, admin, lines, denialUnder } = await serving(t, repository.url);
  assert.deepEqual([await ask("/one"), await ask("/two")], [200, 403], lines());
  const second = await repository.commit({ "a.yaml": allowing("/two") }, "the second\u001b[31m");
  const synced = await cli(["sync", "--admin", admin]);
  assert.deepEqual([synced.status, synced.err], [0, ""]);
  assert.match(synced.out, new RegExp(`^activated\nin force: ${second.slice(0, 12)} the second.* \\(Ada\\)\ndigest: `));
  assert.ok(!synced.out.includes("\u001b"));
  assert.deepEqual([await ask("/one"), await ask("/two")], [403, 200]);
  const { commit: named, digest } = await denialUnder(second);
  assert.equal(named, second);
  assert.ok(synced.out.includes(`\ndigest: ${digest}\n`), synced.out);

  const explained = await cli(["explain", "--admin", admin, "-n", "shop", "--no-labels", "--path", "/two"]);
  assert.ok(explained.out.includes(`\nby the policies of ${second}\n`), explained.out);

  const third = await repository.commit({ "a.yaml": "kind: [" });
  const refused = await cli(["sync", "--admin", admin, "--format", "json"]);
  const { ok, result, commit, code, message } = JSON.parse(refused.out);
  assert.deepEqual([refused.status, ok, result, commit, code], [5, false, "refused", second, "policy/invalid"]);
  assert.match(message, /^a\.yaml:1:/);
  assert.equal(await ask("/two"), 200, "decisions go on");

  const told = await cli(["status", "--admin", admin]);
  assert.deepEqual([told.status, told.err], [5, ""]);
  const time = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
  for (const line of [
    `policies: degraded since ${time} \\[policy/invalid\\]`,
    `in force: ${second.slice(0, 12)} the second.* \\(Ada\\)`,
    `digest: ${digest}`,
    `these rules since: ${time}`,
    "holds: 1 AuthorizationPolicy, 1 rule",
    `refused: ${third.slice(0, 12)} a change \\(Ada\\)`,
    "  a\\.yaml:1:\\d+: .* \\[yaml/[a-z-]+\\]",
    `source: git .*, asked ${time}, found the newest ${time}, next ${time}`,
    "listener .*: http at 127\\.0\\.0\\.1:\\d+",
    `warning: older policies are in force, the newest are refused since .* \\[policy/invalid\\]`,
  ])
    assert.match(told.out, new RegExp(`^${line}$`, "m"));
  assert.ok(!told.out.includes("\u001b"));

  const { rules } = JSON.parse((await getFromSocket(admin, "/v1/status")).body);
  const asJson = JSON.parse((await cli(["status", "--admin", admin, "--format", "json"])).out);
  assert.deepEqual(asJson.rules.active, rules.active);
  const { active, candidate, ready, current, degraded } = rules;
  assert.deepEqual(
    [active.digest, active.revision],
    [digest, { commit: second, subject: "the second [31m", author: "Ada" }],
  );
  assert.deepEqual([candidate.revision.commit, candidate.code], [third, "policy/invalid"]);
  assert.deepEqual([candidate.diagnostics[0].file, candidate.diagnostics[0].start.line], ["a.yaml", 1]);
  assert.deepEqual([ready, current, degraded.reason], [true, false, candidate.message]);
  assert.equal(degraded.code, candidate.code);
  assert.ok(rules.lastSuccessMillis < rules.lastAttemptMillis && rules.lastAttemptMillis < rules.nextAttemptMillis);
  const metrics = (await getFromSocket(admin, "/metrics")).body;
  assert.ok(metrics.includes(`\ngarita_ruleset_info{digest="${digest}"} 1\n`), metrics);
  assert.ok(metrics.includes(`\ngarita_ruleset_commit_info{commit="${second}",signer=""} 1\n`), metrics);
  assert.match(metrics, /^garita_ruleset_current 0$/m);
});

test("a push that changes no rule is told by `garita sync` and the log as the commit in force, and decisions name it", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const { ask, admin, lines, denialUnder } = await serving(t, repository.url);
  assert.equal(await ask("/one"), 200, lines());
  const second = await repository.commit({ "README.md": "hello" }, "a word more");
  const synced = await cli(["sync", "--admin", admin]);
  assert.equal(synced.status, 0);
  assert.match(synced.out, new RegExp(`^activated\nin force: ${second.slice(0, 12)} a word more \\(Ada\\)\n`));
  assert.match(lines(), new RegExp(`"commit":"${second}".*another commit is in force, its rules are the same`));
  assert.equal(await ask("/two"), 403);
  assert.equal((await denialUnder(second)).commit, second);
  assert.match((await cli(["sync", "--admin", admin])).out, /^unchanged\n/);
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
  assert.match(refused.out, /^refused: the history of `HEAD` has no single commit `0000000` \[git\/pin\]\n/);

  const unpinned = await cli(["unpin", "--admin", admin, "--format", "json"]);
  assert.deepEqual([unpinned.status, JSON.parse(unpinned.out).commit], [0, second]);
  assert.deepEqual([await ask("/one"), await ask("/two")], [403, 200]);
  assert.match(await page("/metrics"), /^garita_ruleset_pinned 0$/m);
});

test("a repository that cannot be asked is not called one with newer policies, before there are rules and after", async (t) => {
  const repository = await testRepository(t);
  const away = `${repository.folder}.away`;
  await rename(repository.folder, away);
  t.after(() => rm(away, { recursive: true, force: true }));
  const { ask, admin } = await serving(t, repository.url);
  const warnings = async () => {
    const { body } = await getFromSocket(admin, "/v1/status");
    return (JSON.parse(body) as { readonly warnings: readonly string[] }).warnings.join("\n");
  };
  assert.match(
    await warnings(),
    /^no policies are in force, every request is denied: .* cannot be asked: .* \[git\/unreachable\]$/,
  );
  assert.equal(await ask("/one"), 403);
  await rename(away, repository.folder);
  await repository.commit({ "a.yaml": allowing("/one") });
  assert.equal((await cli(["sync", "--admin", admin])).status, 0);
  assert.deepEqual([await warnings(), await ask("/one")], ["", 200]);
  await rename(repository.folder, away);
  const refused = await cli(["sync", "--admin", admin]);
  assert.equal(refused.status, 5);
  assert.match(refused.out, /^refused: .* cannot be asked: .* \[git\/unreachable\]\nin force: /);
  assert.match(
    await warnings(),
    /^older policies may be in force, the newest cannot be had since 20\S+Z: .* cannot be asked: /,
  );
});

test("`garita sync` says what it could not ask", async (t) => {
  const missing = await cli(["sync", "--admin", `unix:${await tempFolder(t)}/none`]);
  assert.equal(missing.status, 1);
  assert.match(missing.err, /\[service\/unreachable\]\n$/);
  const without = await cli(["sync"]);
  assert.equal(without.status, 2);
});
