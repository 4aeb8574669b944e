import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { parseCsr } from "#ca/csr/parse-csr";
import type { CertificateAnswer, CertificateRequest } from "#ca/issuance/contract";
import { createCallerKeys, type KeyHolder } from "#ca/service/caller-keys";
import { credentialsOf } from "#test/support/ca/callers";
import { fakeIssued } from "#test/support/ca/fake-authority";
import { recordLog } from "#test/support/ca/record-log";
import { createFakeTime } from "#test/support/keys/fake-time";

const web = "spiffe://hello.mesh/ns/hello/sa/web";
const hour = 3_600_000;

/** Keys for callers, with an authority that the test decides for. */
function keysUnder(answer: (request: CertificateRequest) => Partial<CertificateAnswer> = () => ({})) {
  const time = createFakeTime();
  const asked: CertificateRequest[] = [];
  const { log, lines } = recordLog();
  const state = { chance: 0.5, root: Uint8Array.of(1), untrusted: [] as number[] };
  const keys = createCallerKeys({
    async issue(request) {
      asked.push(request);
      const notBeforeMillis = time.nowMillis();
      const issued = { ...fakeIssued, notBeforeMillis, notAfterMillis: notBeforeMillis + hour };
      return { ...issued, ...answer(request) } as CertificateAnswer;
    },
    root: () => state.root,
    isTrusted: ([first]) => !state.untrusted.includes(first!),
    clock: time,
    timers: time,
    chance: () => state.chance,
    log,
  });
  /** Until so many requests were made and answered. */
  const until = async (count: number) => {
    while (asked.length < count) await turn();
    for (let i = 0; i < 5; i++) await turn();
  };
  return { step: time.advance, jump: time.jump, keys, asked, lines, state, until };
}

function holder(change: Partial<KeyHolder> = {}): KeyHolder & { readonly heard: { times: number } } {
  const heard = { times: 0 };
  return { spiffeId: web, credentials: credentialsOf(), changed: () => void heard.times++, heard, ...change };
}

test("a key is made for the identity, asked for with what its holder brought", async () => {
  const { keys, asked, until } = keysUnder();
  const mine = holder({ credentials: credentialsOf({ remoteAddress: "192.0.2.9" }) });
  const held = keys.hold(mine);
  assert.equal(held.current(), undefined);
  await until(1);
  const [request] = asked;
  assert.deepEqual([request?.spiffeId, request?.door, request?.credentials], [web, "sds", mine.credentials]);
  const key = held.current();
  assert.equal(key?.chainPem, "leaf\nissuer\n", "leaf and intermediates, without roots");
  const parsed = parseCsr(request!.csrPem);
  assert.ok(parsed.ok);
  assert.deepEqual(key?.publicKeyDer, parsed.csr.publicKey.spkiDer);
  const publicKey = createPublicKey(key!.keyPem).export({ type: "spki", format: "der" });
  assert.deepEqual(new Uint8Array(publicKey), key?.publicKeyDer);
  assert.equal(mine.heard.times, 1);
});

test("one key an identity, told to all who hold it, and forgotten with the last", async () => {
  const { keys, asked, until, step } = keysUnder();
  const [a, b, other] = [holder(), holder(), holder({ spiffeId: `${web}-other` })];
  const [first, second, third] = [keys.hold(a), keys.hold(b), keys.hold(other)];
  await until(2);
  assert.equal(first.current(), second.current());
  assert.notEqual(first.current(), third.current());
  assert.deepEqual([a.heard.times, b.heard.times, other.heard.times], [1, 1, 1]);
  third.release();
  first.release();
  await step(hour / 2);
  await until(3);
  assert.deepEqual([a.heard.times, b.heard.times], [1, 2]);
  second.release();
  await step(24 * hour);
  assert.equal(asked.length, 3);
  const again = keys.hold(holder());
  assert.equal(again.current(), undefined);
  await until(4);
});

for (const [chance, minutes] of [
  [0, 29.4],
  [0.5, 30],
  [1, 30.6],
] as const) {
  test(`a key is replaced at half of its life, a hundredth around it: ${minutes} minutes`, async () => {
    const { keys, asked, until, step, state } = keysUnder();
    state.chance = chance;
    const held = keys.hold(holder());
    await until(1);
    const first = held.current();
    await step(minutes * 60_000 - 1_000);
    assert.equal(asked.length, 1);
    await step(2_000);
    await until(2);
    assert.notEqual(held.current()?.keyPem, first?.keyPem);
  });
}

test("a clock that went back before the beginning has the key replaced", async () => {
  const { keys, asked, until, step, jump } = keysUnder();
  keys.hold(holder());
  await until(1);
  jump(-2 * hour);
  await step(60_000);
  await until(2);
  assert.equal(asked.length, 2);
});

test("a refusal is tried again, later each time, and the key before stays", async () => {
  let refused = false;
  const { keys, asked, until, step, lines } = keysUnder(() =>
    refused ? { ok: false, code: "identity/not-registered", explanationId: "ABC", retryAfterMillis: undefined } : {},
  );
  const held = keys.hold(holder());
  await until(1);
  const first = held.current();
  refused = true;
  await step(hour / 2);
  await until(2);
  for (const [count, wait] of [
    [3, 1_000],
    [4, 2_000],
    [5, 4_000],
  ] as const) {
    await step(wait - 1);
    assert.equal(asked.length, count - 1);
    await step(1);
    await until(count);
  }
  assert.equal(held.current(), first);
  const [line] = lines;
  assert.deepEqual(
    [line?.level, line?.message, line?.fields["spiffeId"]],
    ["warn", "a caller's key was not made", web],
  );
  assert.match(String(line?.fields["reason"]), /^identity\/not-registered, explanation ABC$/);
  assert.ok(!JSON.stringify(lines).includes("PRIVATE"));
  refused = false;
  await step(8_000);
  await until(6);
  assert.notEqual(held.current(), first);
});

test("the authority's own wish to be asked later counts", async () => {
  const { keys, asked, until, step } = keysUnder(() => ({
    ok: false,
    code: "rate/caller",
    explanationId: "ABC",
    retryAfterMillis: 9_000,
  }));
  keys.hold(holder());
  await until(1);
  await step(8_999);
  assert.equal(asked.length, 1);
  await step(1);
  await until(2);
});

test("what was refused to one holder is asked for anew when another comes", async () => {
  const bad = credentialsOf({ remoteAddress: "192.0.2.1" });
  const { keys, until } = keysUnder(({ credentials }) =>
    credentials === bad ? { ok: false, code: "caller/refused", explanationId: "A", retryAfterMillis: undefined } : {},
  );
  const held = keys.hold(holder({ credentials: bad }));
  await until(1);
  assert.equal(held.current(), undefined);
  keys.hold(holder());
  await until(2);
  assert.notEqual(held.current(), undefined);
});

test("a key under a root that nobody trusts any more is replaced at once, and no other", async () => {
  const { keys, asked, until, state } = keysUnder();
  const old = keys.hold(holder());
  await until(1);
  state.root = Uint8Array.of(2);
  const young = keys.hold(holder({ spiffeId: `${web}-young` }));
  await until(2);
  const [oldKey, youngKey] = [old.current(), young.current()];
  keys.lookAtRoots();
  await until(2);
  assert.equal(asked.length, 2);
  state.untrusted.push(1);
  keys.lookAtRoots();
  await until(3);
  assert.notEqual(old.current(), oldKey);
  assert.equal(young.current(), youngKey);
});
