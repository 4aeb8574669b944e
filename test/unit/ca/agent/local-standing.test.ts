import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LocalStanding, type LocalStream } from "#ca/agent/local-standing";

const stream = (id: string, acknowledged?: string, rejected?: LocalStream["rejected"]): LocalStream => ({
  id,
  acknowledged,
  rejected,
});

describe("what local streams have of a bundle", () => {
  it("is all of it where there are none, and none were here", () => {
    assert.deepEqual(new LocalStanding(() => 0, undefined).of("a", []), { waiting: 0, rejected: undefined });
  });

  it("counts each that has another version or none, and tells the words of one that rejected this one", () => {
    const standing = new LocalStanding(() => 0, undefined);
    const streams = [
      stream("1", "b"),
      stream("2", "a"),
      stream("3"),
      stream("4", "a", { version: "b", message: "no" }),
    ];
    assert.deepEqual(standing.of("b", streams), { waiting: 3, rejected: "no" });
    assert.deepEqual(standing.of("a", streams), { waiting: 2, rejected: undefined });
  });

  it("waits for a stream that ended until its Envoy had the time to come back, for a new version alone", () => {
    let now = 0;
    const standing = new LocalStanding(() => now, undefined);
    assert.equal(standing.of("a", [stream("1", "a")]).waiting, 0);
    now = 1_000;
    assert.equal(standing.of("a", []).waiting, 0);
    assert.equal(standing.of("b", []).waiting, 1);
    // It came back and has it: but who else might come is not known.
    assert.equal(standing.of("b", [stream("2", "b")]).waiting, 1);
    now = 36_001;
    assert.equal(standing.of("b", [stream("2", "b")]).waiting, 0);
  });

  it("waits after a restart for those who had the version of before", () => {
    let now = 500;
    const standing = new LocalStanding(() => now, "a");
    assert.equal(standing.of("a", []).waiting, 0);
    assert.equal(standing.of("b", []).waiting, 1);
    now = 35_500;
    assert.equal(standing.of("b", []).waiting, 0);
  });
});
