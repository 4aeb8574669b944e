import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { test } from "node:test";
import {
  createServerCertificate,
  type IssueServerCertificate,
  type ServerCertificate,
} from "#ca/authorities/server-certificate";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { recordLog } from "#test/support/ca/record-log";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";
import { until } from "#test/support/until";

const hour = 3_600_000;

/** Issues certificates that are only names for their keys, while `fault` is undefined. */
async function start(time: FakeTime, lifetimeMillis = 24 * hour, earliestMillis = 0) {
  const state = { fault: undefined as string | undefined, issued: [] as SubjectPublicKey[] };
  const renewed: ServerCertificate[] = [];
  const { log, lines } = recordLog();
  const issue: IssueServerCertificate = async (publicKey) => {
    if (state.fault !== undefined) throw new Error(state.fault);
    state.issued.push(publicKey);
    const notBeforeMillis = Math.max(time.nowMillis(), earliestMillis);
    return {
      chainPem: [`leaf ${state.issued.length}\n`, "intermediate\n"],
      notBeforeMillis,
      notAfterMillis: notBeforeMillis + lifetimeMillis,
    };
  };
  const source = await createServerCertificate({
    issue,
    timers: time,
    clock: time,
    log,
    onRenewed: (certificate) => renewed.push(certificate),
  });
  return { source, state, renewed, lines };
}

test("the first certificate is there when the source is, for the key that was granted", async () => {
  const time = createFakeTime();
  const { source, state, renewed } = await start(time);
  const { certPem, keyPem, notAfterMillis } = source.current();
  assert.equal(certPem, "leaf 1\nintermediate\n");
  assert.equal(notAfterMillis, time.nowMillis() + 24 * hour);
  const spki = createPublicKey(createPrivateKey(keyPem)).export({ type: "spki", format: "der" });
  assert.deepEqual(new Uint8Array(spki), state.issued[0]!.spkiDer);
  assert.deepEqual(renewed, [source.current()]);
  source.close();
  assert.equal(time.pending(), 0);
});

test("it is renewed at half of its life, with a new key", async () => {
  const time = createFakeTime();
  const { source, state, renewed } = await start(time);
  await time.advance(12 * hour - 1);
  assert.equal(state.issued.length, 1);
  await time.advance(1);
  await until(() => renewed.length === 2);
  assert.equal(source.current().certPem, "leaf 2\nintermediate\n");
  assert.notEqual(state.issued[0]!.hash, state.issued[1]!.hash);
  source.close();
});

test("a wall clock that jumps ahead is noticed within a minute", async () => {
  const time = createFakeTime();
  const { source, renewed } = await start(time);
  time.jump(13 * hour);
  await time.advance(60_000);
  await until(() => renewed.length === 2);
  source.close();
});

test("a certificate of a clock that was ahead, which nobody else finds valid yet, is replaced within a minute after the clock is right", async () => {
  const time = createFakeTime();
  const { source, renewed } = await start(time);
  time.jump(-hour);
  await time.advance(60_000);
  await until(() => renewed.length === 2);
  assert.equal(source.current().notAfterMillis, time.nowMillis() + 24 * hour);
  await time.advance(60_000);
  assert.equal(renewed.length, 2);
  source.close();
});

test("one that cannot begin earlier, for its authority does not, is asked for every five minutes and not in a loop", async () => {
  const time = createFakeTime();
  const beginMillis = time.nowMillis();
  const { source, state, renewed } = await start(time, 24 * hour, beginMillis);
  time.jump(-hour);
  await time.advance(60_000);
  await until(() => renewed.length === 2);
  await until(() => time.pending() === 1);
  await time.advance(300_000 - 1);
  assert.equal(state.issued.length, 2);
  await time.advance(1);
  await until(() => renewed.length === 3);
  source.close();
});

test("failures are tried again, later each time; the old certificate stays until the new one is there", async () => {
  const time = createFakeTime();
  const { source, state, renewed, lines } = await start(time);
  state.fault = "the store is gone";
  await time.advance(12 * hour);
  for (let failures = 1; failures <= 12; failures++) {
    await until(() => lines.length === failures);
    assert.equal(source.current().certPem, "leaf 1\nintermediate\n");
    await until(() => time.pending() === 1);
    await time.advance(Math.min(2 ** (failures - 1) * 1000, 300_000));
  }
  await until(() => lines.length === 13);
  assert.deepEqual(
    lines.slice(0, 11).map(({ fields }) => fields["retryMillis"]),
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1000),
  );
  assert.ok(lines.every(({ level, fields }) => level === "warn" && fields["reason"] === "the store is gone"));
  state.fault = undefined;
  await until(() => time.pending() === 1);
  await time.advance(300_000);
  await until(() => renewed.length === 2);
  assert.equal(source.current().certPem, "leaf 2\nintermediate\n");

  state.fault = "again";
  await assert.rejects(source.renew(), /again/);
  assert.equal(lines.at(-1)!.fields["retryMillis"], 1000);
  source.close();
});

test("a certificate that has ended is told as an error", async () => {
  const time = createFakeTime();
  const { source, state, lines } = await start(time);
  time.jump(25 * hour);
  state.fault = "no";
  await assert.rejects(source.renew(), /no/);
  assert.equal(lines.at(-1)!.level, "error");
  source.close();
});

test("renewals that are asked for at once are one, and a closed source takes none", async () => {
  const time = createFakeTime();
  const { source, state, renewed } = await start(time);
  await Promise.all([source.renew(), source.renew()]);
  assert.equal(state.issued.length, 2);
  const last = source.renew();
  source.close();
  await last;
  assert.equal(renewed.length, 2);
  assert.equal(time.pending(), 0);
});

test("a certificate that is past half of its life when it comes is not asked for in a loop", async () => {
  const time = createFakeTime();
  const { source, state } = await start(time, 0);
  await time.advance(999);
  assert.equal(state.issued.length, 1);
  source.close();
});

test("no first certificate, no source", async () => {
  const time = createFakeTime();
  const { log } = recordLog();
  const issue = () => Promise.reject(new Error("no authority is active"));
  await assert.rejects(
    createServerCertificate({ issue, timers: time, clock: time, log, onRenewed: () => assert.fail() }),
    /no authority is active/,
  );
  assert.equal(time.pending(), 0);
});
