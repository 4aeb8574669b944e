import assert from "node:assert/strict";
import { test } from "node:test";
import { type RefusalCode, refusals } from "#ca/refusals";
import { outsideOf, refusalStatus } from "#ca/transport/refusal-status";
import { agentRetries } from "#test/support/ca/pilot-agent";

/** What a client may expect to help. */
const retried: Readonly<Record<keyof typeof refusalStatus, boolean>> = {
  "invalid-argument": false,
  unauthenticated: false,
  "permission-denied": false,
  "resource-exhausted": true,
  unavailable: true,
  internal: true,
};

test("each refusal has the class of retries that its status promises", () => {
  for (const code of Object.keys(refusals) as RefusalCode[]) {
    const { grpc, http } = outsideOf(code);
    assert.equal(agentRetries.has(grpc), retried[refusals[code].status], code);
    assert.equal(http === 429 || http >= 500, retried[refusals[code].status], code);
  }
});

test("no status is one at which agents give up in the middle", () => {
  const [cancelled, deadlineExceeded] = [1, 4];
  for (const { grpc } of Object.values(refusalStatus)) {
    assert.notEqual(grpc, cancelled);
    assert.notEqual(grpc, deadlineExceeded);
  }
});
