import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { snapshotOfRules } from "#authz/check/snapshot";
import type { Engine } from "#authz/engine/contract";
import type { BuildResult } from "#authz/rulesets/build";
import { createHolder } from "#authz/rulesets/holder";
import type { StalenessSettings } from "#authz/rulesets/staleness";
import { createSync, type LoadResult } from "#authz/rulesets/sync";
import { createLog } from "#platform/log";
import { systemTimers } from "#platform/timers";
import type { Diagnostic } from "#policy-compiler/source/diagnostic";
import { ruleSetOf } from "#test/support/check/rule-set";

const ruleSet = ruleSetOf({});

function engineOf(digest: string): Engine {
  return { ruleSet, digest } as Engine;
}

function built(digest: string, diagnostics: readonly Diagnostic[] = []): BuildResult {
  return { kind: "built", bytes: new Uint8Array(3), digest, diagnostics, files: 2 };
}

const broken: Diagnostic = {
  code: "yaml/syntax",
  severity: "error",
  message: "not well-formed",
  file: "a/b.yaml",
  start: { line: 3, column: 5 },
  end: { line: 3, column: 6 },
};

function setUp(prepare: (digest: string) => Promise<Engine> | Engine = engineOf, staleness?: StalenessSettings) {
  const holder = createHolder(() => undefined);
  const stream = new PassThrough();
  let result: () => Promise<BuildResult> | BuildResult = () => built("one");
  let accepted = () => {};
  let change: (() => void) | undefined;
  let now = 1000;
  const heard: LoadResult[] = [];
  const sync = createSync({
    equip: snapshotOfRules,
    source: {
      name: "test",
      build: async () => result(),
      accepted: async () => accepted(),
      async watch(onChange) {
        change = onChange;
        return async () => {
          change = undefined;
        };
      },
      close: async () => undefined,
    },
    holder,
    prepare: (_bytes, digest) => prepare(digest),
    nowMillis: () => now,
    timers: systemTimers,
    staleness,
    log: createLog({ level: "info", stream }).log,
    onLoad: (load) => heard.push(load),
  });
  return {
    sync,
    holder,
    heard,
    digest: () => holder.snapshot()?.engine.digest,
    logged: () => String(stream.read() ?? ""),
    give: (next: typeof result) => {
      result = next;
    },
    onAccepted: (listener: () => void) => {
      accepted = listener;
    },
    at: (millis: number) => {
      now = millis;
    },
    change: () => change?.(),
    watched: () => change !== undefined,
  };
}

test("before the first rule set there is none, and the status says so", () => {
  const { sync, digest } = setUp();
  assert.equal(digest(), undefined);
  const { ready, current, active, candidate, degraded } = sync.status();
  assert.deepEqual(
    { ready, current, active, candidate, degraded },
    {
      ready: false,
      current: false,
      active: undefined,
      candidate: undefined,
      degraded: undefined,
    },
  );
});

test("a valid source comes into force", async () => {
  const { sync, digest, heard } = setUp();
  assert.equal(await sync.load(), "activated");
  assert.equal(digest(), "one");
  const { ready, current, active, lastSuccessMillis } = sync.status();
  assert.deepEqual([ready, current, active?.digest, active?.files, lastSuccessMillis], [true, true, "one", 2, 1000]);
  assert.deepEqual(heard, ["activated"]);
});

const refusals: readonly (readonly [title: string, result: () => BuildResult, code: string, message: RegExp])[] = [
  [
    "policies with an error",
    () => ({ kind: "invalid", diagnostics: [broken, broken], files: 1 }),
    "policy/invalid",
    /^a\/b\.yaml:3:5: not well-formed \(and 1 more\)$/,
  ],
  [
    "a source that cannot be read",
    () => ({ kind: "failed", code: "source/missing", message: "gone" }),
    "source/missing",
    /^gone$/,
  ],
  [
    "a source that fails unexpectedly",
    () => {
      throw new Error("defect");
    },
    "ruleset/unusable",
    /defect/,
  ],
];

test("the log counts warnings, and warns of those that were not there before", async () => {
  const { sync, give, logged } = setUp();
  const warning = (line: number, message: string): Diagnostic => ({
    ...broken,
    code: "lint/selects-nothing",
    severity: "warning",
    message,
    start: { line, column: 1 },
  });
  const many = (count: number) => Array.from({ length: count }, (_none, i) => warning(i + 1, `w${i}`));
  const load = async (digest: string, diagnostics: readonly Diagnostic[]) => {
    give(() => built(digest, diagnostics));
    await sync.load();
    const text = logged();
    if (text === "") return undefined;
    const { level, warnings, newWarnings } = JSON.parse(text);
    return [level, warnings, newWarnings];
  };
  const line = (i: number) => `a/b.yaml:${i + 1}:1: w${i} [lint/selects-nothing]`;
  const [info, warn] = [(await load("one", []))?.[0], (await load("two", many(1)))?.[0]];
  assert.notEqual(info, warn);
  assert.deepEqual(await load("three", [warning(7, "w0"), { ...broken, severity: "note" }]), [info, 1, undefined]);
  assert.deepEqual(await load("four", many(9)), [warn, 9, [...[1, 2, 3, 4, 5].map(line), "3 more"]]);
  assert.equal(await load("four", many(8)), undefined);
  assert.deepEqual(await load("four", many(10)), [warn, 10, [line(9)]]);
  assert.deepEqual(await load("five", []), [info, 0, undefined]);
  assert.deepEqual(await load("six", many(1)), [warn, 1, [line(0)]]);
});

for (const [title, result, code, message] of refusals) {
  test(`${title} changes nothing but the status, and what is right again is current again`, async () => {
    const { sync, digest, give, at, logged, heard } = setUp();
    await sync.load();
    logged();
    give(result);
    at(2000);
    assert.equal(await sync.load(), "refused");
    at(3000);
    await sync.load();
    assert.equal(digest(), "one");
    const { ready, current, candidate, degraded, lastAttemptMillis, lastSuccessMillis, active } = sync.status();
    assert.deepEqual(
      [ready, current, active?.digest, lastSuccessMillis, lastAttemptMillis],
      [true, false, "one", 1000, 3000],
    );
    assert.equal(candidate?.code, code);
    assert.match(candidate?.message ?? "", message);
    assert.equal(degraded?.sinceMillis, 2000);
    const told = logged().trim().split("\n");
    assert.equal(told.length, 1, "the same fault is told once");
    assert.match(told[0]!, /"level":"error"/);
    assert.deepEqual(heard, ["activated", "refused"]);
    give(() => built("one"));
    at(4000);
    assert.equal(await sync.load(), "unchanged");
    assert.match(logged(), /^{"level":"info".*"digest":"one".*"msg":"the source is valid again[^\n]*\n$/);
    at(5000);
    assert.equal(await sync.load(), "unchanged");
    assert.equal(logged(), "", "nothing was wrong");
    give(result);
    await sync.load();
    assert.match(logged(), /"level":"error"/, "a fault that comes back is told again");
    give(() => ({ kind: "failed", code: "source/missing", message: "another fault" }));
    await sync.load();
    assert.match(logged(), /another fault/);
    give(() => built("one"));
    at(6000);
    await sync.load();
    assert.deepEqual(
      [sync.status().current, sync.status().candidate, sync.status().degraded],
      [true, undefined, undefined],
    );
  });
}

test("a rule set that cannot be prepared is refused", async () => {
  const { sync, digest, give } = setUp((name) => {
    if (name === "two") throw new Error("damaged");
    return engineOf(name);
  });
  await sync.load();
  give(() => built("two"));
  assert.equal(await sync.load(), "refused");
  assert.equal(digest(), "one");
});

test("a snapshot that was pinned stays what it is when another comes into force", async () => {
  const { sync, holder, give } = setUp();
  await sync.load();
  const pinned = holder.snapshot();
  give(() => built("two"));
  await sync.load();
  assert.deepEqual([pinned?.engine.digest, holder.snapshot()?.engine.digest], ["one", "two"]);
});

test("changes during an attempt lead to one more attempt, with what the source holds then", async () => {
  const { sync, digest, give, heard } = setUp();
  const gate = Promise.withResolvers<void>();
  let builds = 0;
  give(async () => {
    if (++builds === 1) await gate.promise;
    return built(`build ${builds}`);
  });
  const loads = [sync.load(), sync.load(), sync.load()];
  gate.resolve();
  await Promise.all(loads);
  assert.equal(builds, 2);
  assert.equal(digest(), "build 2");
  assert.deepEqual(heard, ["activated", "activated"]);
});

test("a followed source is loaded when it changes, until it is stopped", async () => {
  const { sync, digest, give, change, watched } = setUp();
  await sync.load();
  await sync.follow();
  give(() => built("two"));
  const changed = new Promise<void>((resolve) => sync.onChange(resolve));
  change();
  await changed;
  assert.equal(digest(), "two");
  await sync.stop();
  assert.equal(watched(), false);
});

test("rules that got stale while no timer ran are not decided by after the next attempt, whatever comes of it", async () => {
  const reaction = { maxStaleMillis: 60_000, reaction: "deny" } as const;
  const { sync, holder, give, at } = setUp(engineOf, reaction);
  await sync.load();
  at(1_000 + 60_000);
  assert.equal(holder.snapshot()?.expired, false, "the timer is late");
  give(() => ({ kind: "failed", code: "bundle/unreachable", message: "away" }));
  await sync.load();
  assert.equal(holder.snapshot()?.expired, true);
  await sync.stop();
});

test("rules that have expired are not decided by from their first moment on, before anything of them is kept", async () => {
  const { sync, holder, give, onAccepted } = setUp(engineOf, { maxStaleMillis: undefined, reaction: "deny" });
  const revision = { commit: "r1", signer: undefined, expiresMillis: 500 };
  const fallback = { code: "bundle/unreachable", message: "away", diagnostics: [], confirmedMillis: 100 } as const;
  give(() => ({ ...built("one"), revision, fallback }) as BuildResult);
  let then: boolean | undefined;
  onAccepted(() => {
    then = holder.snapshot()?.expired;
  });
  assert.equal(await sync.load(), "activated");
  assert.deepEqual([then, holder.snapshot()?.expired, sync.status().staleSinceMillis], [true, true, 500]);
  await sync.stop();
});
