import assert from "node:assert/strict";
import { test } from "node:test";
import { recordLog } from "#test/support/ca/record-log";
import { newCsr, nobody, testScene } from "#test/support/ca/scene";

test("who asks too often is refused each time, and neither fills the log nor pushes out what others are told", async (t) => {
  const { log, lines } = recordLog();
  const rates = { perAddressPerSecond: 1, perAddressBurst: 1, perCallerPerSecond: 1, perCallerBurst: 1 };
  const scene = await testScene(t, { log, configuration: { rates } });
  const ask = (remoteAddress: string) =>
    scene.issue({ csrPem: newCsr().csrPem, credentials: { ...nobody, remoteAddress } });
  const other = await ask("10.0.0.2");
  assert.ok(!other.ok && other.code === "caller/none");
  const beganMillis = performance.now();
  const answers = await Promise.all(Array.from({ length: 2_000 }, () => ask("10.0.0.1")));
  const seconds = 1 + Math.ceil((performance.now() - beganMillis) / 1000);
  const limited = answers.filter((answer) => !answer.ok && answer.code === "rate/address");
  assert.ok(limited.length > 1_900);
  const told = lines.filter(({ fields }) => fields["code"] === "rate/address");
  assert.ok(told.length > 0 && told.length <= 10 * seconds, `${told.length} lines in ${seconds} s`);
  assert.equal((await scene.store.explanation(other.explanationId))?.code, "caller/none");
});

test("an audit that several ask for at once is made once, and anew for who asks later", async (t) => {
  let asked = 0;
  const scene = await testScene(t, {
    wrapStore: (store) => ({
      ...store,
      auditHeads(limit) {
        asked++;
        return store.auditHeads(limit);
      },
    }),
  });
  const { service } = scene.authority;
  const reports = await Promise.all(Array.from({ length: 50 }, () => service.auditReport()));
  assert.deepEqual([asked, reports.every(({ ok }) => ok)], [1, true]);
  await service.auditReport();
  assert.equal(asked, 2);
});
