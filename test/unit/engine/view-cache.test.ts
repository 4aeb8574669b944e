import assert from "node:assert/strict";
import { test } from "node:test";
import type { Workload } from "#authz/engine/attributes";
import { ViewCache } from "#authz/engine/view-cache";

function named(name: string): Workload {
  return { namespace: "foo", name, labels: new Map(), kind: "sidecar", gateway: undefined, service: undefined };
}

function counting(limit: number) {
  const made: string[] = [];
  const cache = new ViewCache(limit, ({ name }: Workload) => {
    made.push(String(name));
    return { name };
  });
  return { made, ask: (name: string) => cache.get(named(name)), cache };
}

test("what was made is kept by description", () => {
  const { made, ask } = counting(2);
  assert.equal(ask("a"), ask("a"));
  assert.deepEqual(made, ["a"]);
});

test("no more are kept than the limit, and those asked for lately stay", () => {
  const { made, ask, cache } = counting(3);
  for (const name of ["a", "b", "c", "a", "d", "a", "b"]) ask(name);
  assert.equal(cache.size, 3);
  // `b` went for `d`, although `a` was older, for `a` had been asked for again.
  assert.deepEqual(made, ["a", "b", "c", "d", "b"]);
});

test("an object whose view went gets a new one, and does not keep the old", () => {
  const { made, ask, cache } = counting(1);
  const a = named("a");
  const first = cache.get(a);
  ask("b");
  assert.equal(cache.size, 1);
  assert.notEqual(cache.get(a), first);
  assert.deepEqual(made, ["a", "b", "a"]);
});

test("when all were asked for the oldest goes", () => {
  const { made, ask, cache } = counting(2);
  for (const name of ["a", "b", "a", "b", "c", "b", "a"]) ask(name);
  assert.equal(cache.size, 2);
  assert.deepEqual(made, ["a", "b", "c", "a"]);
});

const base = named("a");
const different: readonly Workload[] = [
  { ...base, namespace: "bar" },
  { ...base, name: undefined },
  { ...base, labels: new Map([["a", "b"]]) },
  { ...base, kind: "gateway" },
  { ...base, gateway: "g" },
  { ...base, service: { namespace: "foo", name: "s" } },
  { ...base, service: { namespace: "foo", name: "s", kind: "Service" } },
];

test("descriptions that differ in anything are kept apart", () => {
  const cache = new ViewCache(100, () => ({}));
  assert.equal(new Set([base, ...different].map((workload) => cache.get(workload))).size, different.length + 1);
});
