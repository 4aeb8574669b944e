import assert from "node:assert/strict";
import { test } from "node:test";
import { createGrpcCheck } from "#authz/check/check";
import { createHttpCheck } from "#authz/check/http-check";
import { noVerification } from "#authz/check/tokens/no-verification";
import { gitRules } from "#test/support/git/git-rules";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { listenerSettings } from "#test/support/service/listener-start";
import { explainRequest } from "../../../cli/request/explain-request.ts";

const maxStaleMillis = 300_000;

const whatFollows = {
  nothing: /which is too long$/,
  "not-ready": /too long: the service says it is not ready$/,
  deny: /too long: every request is denied$/,
};

test("rules that were not found the newest for too long: told, not ready, or nothing is decided by them", async (t) => {
  const repository = await testRepository(t);
  const commit = await repository.commit({ "a.yaml": allowing("/one") });
  for (const reaction of ["nothing", "not-ready", "deny"] as const) {
    const rules = await gitRules(t, repository.url, { staleness: { maxStaleMillis, reaction } });
    await rules.load();
    let heard = 0;
    rules.sync.onChange(() => heard++);
    rules.time.step(maxStaleMillis - 1);
    assert.deepEqual([rules.status().current, rules.snapshot()?.expired, heard], [true, false, 0]);
    rules.time.step(1);
    const { ready, current, degraded, staleSinceMillis } = rules.status();
    assert.deepEqual([ready, current, staleSinceMillis], [reaction === "nothing", false, rules.time.clock.nowMillis()]);
    assert.ok(degraded !== undefined && heard === 1, "listeners of readiness hear");
    assert.match(degraded.reason, whatFollows[reaction]);
    assert.equal(rules.snapshot()?.expired, reaction === "deny");

    const environment = {
      snapshot: rules.snapshot,
      nextId: () => "1",
      nowMillis: rules.time.clock.nowMillis,
      tokens: noVerification,
    };
    const request = { method: "GET", target: "/one", headers: [["host", "h"]], body: undefined } as const;
    const workload = { namespace: "shop", labels: new Map() };
    const http = createHttpCheck(environment)(request, listenerSettings("http", { workload }));
    assert.ok(!(http instanceof Promise));
    assert.equal(http.record.decision.reason, reaction === "deny" ? "rules/expired" : "policy/allowed");
    assert.equal(http.record.commit, commit, "a refusal names the rules too");
    const grpc = createGrpcCheck(environment)(new Uint8Array(), { get: () => [] }, listenerSettings("grpc"));
    assert.ok(!(grpc instanceof Promise));
    assert.equal(grpc.record.decision.reason === "rules/expired", reaction === "deny");

    const description = { workload: { namespace: "shop", labels: {} }, request: { path: "/one" } };
    const explained = await explainRequest(description, environment);
    if (reaction === "deny") assert.ok(!explained.ok && explained.status === 503 && explained.code === "rules/expired");
    else assert.ok(explained.ok);

    await rules.load();
    assert.deepEqual([rules.status().current, rules.status().ready, rules.snapshot()?.expired], [true, true, false]);
  }
});

test("pinned rules that get too old between two polls are told with what follows, and since when", async (t) => {
  const repository = await testRepository(t);
  const commit = await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url, { staleness: { maxStaleMillis, reaction: "deny" } });
  await rules.load();
  const sinceMillis = rules.time.clock.nowMillis();
  assert.equal(await rules.sync.pin({ commit, durationMillis: 2 * maxStaleMillis }), undefined);
  rules.time.step(maxStaleMillis - 1);
  assert.deepEqual([rules.status().degraded?.sinceMillis, rules.status().ready], [sinceMillis, true]);
  rules.time.step(1);
  const { degraded, pinned } = rules.status();
  assert.deepEqual([degraded?.sinceMillis, pinned?.commit], [sinceMillis + maxStaleMillis, commit]);
  assert.match(degraded!.reason, whatFollows.deny);
});

test("a bad commit does not keep rules from getting too old, nor do polls that fail", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const rules = await gitRules(t, repository.url, { staleness: { maxStaleMillis, reaction: "deny" } });
  await rules.load();
  await repository.commit({ "a.yaml": "kind: [" });
  rules.time.step(maxStaleMillis - 1);
  await rules.load();
  assert.equal(rules.snapshot()?.expired, false);
  rules.time.step(1);
  assert.equal(rules.snapshot()?.expired, true);
  await repository.commit({ "a.yaml": allowing("/two") });
  await rules.load();
  assert.equal(rules.snapshot()?.expired, false);
});

test("rules of the last run that are too old at the start decide nothing where that is asked for", async (t) => {
  const repository = await testRepository(t);
  await repository.commit({ "a.yaml": allowing("/one") });
  const first = await gitRules(t, repository.url);
  await first.load();
  await first.sync.stop();
  await repository.git("update-ref", "-d", "refs/heads/main");
  const { folder, time } = first;
  time.step(maxStaleMillis - 5_000);
  const staleness = { maxStaleMillis, reaction: "deny" } as const;
  const young = await gitRules(t, repository.url, { folder, time, staleness });
  await young.load();
  assert.deepEqual([young.snapshot()?.expired, young.status().ready], [false, true]);
  time.step(5_000);
  assert.equal(young.snapshot()?.expired, true);
  const old = await gitRules(t, repository.url, { folder, time, staleness });
  await old.load();
  assert.deepEqual([old.snapshot()?.expired, old.status().ready], [true, false]);
  assert.match(
    old.logged(),
    /"level":"error".*"reaction":"deny","msg":"the policies in force were not found to be the newest since /,
  );
});
