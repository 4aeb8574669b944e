import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuthoritySwitch, createAuthoritySwitch, type WantedAuthority } from "#cli/serve/authority/switch";
import { createMetrics } from "#platform/metrics";
import { recordLog } from "#test/support/ca/record-log";
import { denyListOf } from "#test/support/deny-lists";

type Summary = NonNullable<ReturnType<AuthoritySwitch["summary"]>>;

/** Authorities that start and stop when the test says so; a store has one owner, as a real one. */
function scene() {
  const { log, lines } = recordLog();
  const told: string[] = [];
  const lists: string[] = [];
  let owner: string | undefined;
  const changes = new Map<string, () => void>();
  const held = new Map<string, Promise<void>>();
  const broken = new Set<string>();
  const authority = createAuthoritySwitch({
    environment: {},
    metrics: createMetrics(),
    log,
    onDenyList: ({ trustDomain }) => void lists.push(trustDomain),
    async start({ mark }) {
      await held.get(`start ${mark}`);
      if (broken.has(`start ${mark}`)) throw new Error(`${mark} cannot start`);
      assert.equal(owner, undefined, "a store has one owner");
      owner = mark;
      told.push(`start ${mark}`);
      return {
        addresses: [{ name: mark, address: { kind: "tcp", host: "127.0.0.1", port: 1 } }],
        summary: () => ({ trustDomain: mark }) as Summary,
        denyList: {
          list: () => denyListOf({ trustDomain: mark }),
          subscribe(changed) {
            changes.set(mark, changed);
            return () => undefined;
          },
        },
        configure: () => assert.fail("nothing changes without a start here"),
        async stop() {
          await held.get(`stop ${mark}`);
          owner = undefined;
          told.push(`stop ${mark}`);
          if (broken.has(`stop ${mark}`)) throw new Error(`${mark} cannot stop`);
        },
      };
    },
  });
  const wanted = (mark: string) => ({ mark, startMark: mark }) as WantedAuthority;
  const names = () => authority.addresses().map(({ name }) => name);
  return { authority, wanted, names, told, lists, changes, held, broken, lines, owner: () => owner };
}

test("changes take turns: each finds what the one before has left", async () => {
  const { authority, wanted, names, told, held } = scene();
  await authority.become(wanted("a"));
  const gate = Promise.withResolvers<void>();
  held.set("stop a", gate.promise);
  const changes = [authority.become(wanted("b")), authority.become(wanted("c")), authority.become(wanted("c"))];
  gate.resolve();
  await Promise.all(changes);
  assert.deepEqual(told, ["start a", "stop a", "start b", "stop b", "start c"]);
  assert.deepEqual(names(), ["c"]);
});

test("an end that comes while an authority starts ends that one too, and nothing starts afterwards", async () => {
  const { authority, wanted, names, told, held, owner } = scene();
  const gate = Promise.withResolvers<void>();
  held.set("start a", gate.promise);
  const started = authority.become(wanted("a"));
  await new Promise((resolve) => setImmediate(resolve));
  const stopped = authority.stop(AbortSignal.abort());
  const later = authority.become(wanted("b"));
  gate.resolve();
  await Promise.all([started, stopped, later]);
  assert.deepEqual(told, ["start a", "stop a"]);
  assert.deepEqual([names(), owner()], [[], undefined]);
});

test("one that does not stop well is told of, and does not keep the next from starting", async () => {
  const { authority, wanted, names, broken, lines } = scene();
  await authority.become(wanted("a"));
  broken.add("stop a");
  await authority.become(wanted("b"));
  assert.deepEqual(names(), ["b"]);
  assert.ok(lines.some(({ level, fields }) => level === "error" && fields["fault"] === "a cannot stop"));
});

test("where the next cannot start, the one before runs again; where that cannot either, it is tried when it is wanted again", async () => {
  const { authority, wanted, names, broken, lines } = scene();
  await authority.become(wanted("a"));
  broken.add("start b");
  await assert.rejects(authority.become(wanted("b")), /b cannot start/);
  assert.deepEqual(names(), ["a"]);
  assert.equal(authority.wanted()?.mark, "a");
  broken.add("start a");
  await assert.rejects(authority.become(wanted("b")), /b cannot start/);
  assert.deepEqual(names(), []);
  assert.ok(lines.some(({ fields }) => fields["fault"] === "a cannot start"));
  broken.clear();
  await authority.become(wanted("a"));
  assert.deepEqual(names(), ["a"]);
});

test("the deny list of an authority is told when it runs, at each change, and by the next one", async () => {
  const { authority, wanted, lists, changes } = scene();
  await authority.become(wanted("a"));
  changes.get("a")?.();
  await authority.become(wanted("b"));
  await authority.become(undefined);
  assert.deepEqual(lists, ["a", "a", "b"]);
});
