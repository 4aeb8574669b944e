import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns } from "#authz/rulesets/turns";

/** Work that is ended by the test, and tells when it begins. */
function pieces() {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const work = (name: string) => () => {
    begun.push(name);
    const end = Promise.withResolvers<string>();
    ends.set(name, end);
    return end.promise;
  };
  return {
    begun,
    work,
    end: (name: string) => ends.get(name)!.resolve(name),
    fail: (name: string) => ends.get(name)!.reject(new Error(name)),
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("what is asked for while something is under way is done once, after it, for all who asked", async () => {
  const turns = createTurns<string>();
  const { begun, work, end } = pieces();
  const asked = [turns.share(work("a")), turns.share(work("b")), turns.share(work("c"))];
  await settle();
  assert.deepEqual(begun, ["a"]);
  end("a");
  await settle();
  assert.deepEqual(begun, ["a", "b"]);
  const later = turns.share(work("d"));
  end("b");
  await settle();
  end("d");
  assert.deepEqual(await Promise.all([...asked, later]), ["a", "b", "b", "d"]);
  assert.deepEqual(begun, ["a", "b", "d"]);
});

test("what is taken shares with nobody, and nothing is done beside it", async () => {
  const turns = createTurns<string>();
  const { begun, work, end } = pieces();
  const [first, second, shared] = [turns.take(work("one")), turns.take(work("two")), turns.share(work("three"))];
  for (const name of ["one", "two", "three"]) {
    await settle();
    assert.equal(begun.at(-1), name);
    assert.equal(begun.length, ["one", "two", "three"].indexOf(name) + 1);
    end(name);
  }
  assert.deepEqual(await Promise.all([first, second, shared]), ["one", "two", "three"]);
});

test("what fails is told to whoever asked, and what waits is done", async () => {
  const turns = createTurns<string>();
  const { work, end, fail } = pieces();
  const [failing, next] = [turns.take(work("one")), turns.share(work("two"))];
  fail("one");
  await assert.rejects(failing, /one/);
  await settle();
  end("two");
  assert.equal(await next, "two");
});
