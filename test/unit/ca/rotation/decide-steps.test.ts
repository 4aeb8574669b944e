import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RootState, RotationView } from "#ca/rotation/contract";
import { decideSteps } from "#ca/rotation/decide-steps";
import { planEmergency } from "#ca/rotation/plan-emergency";
import { certificateInUse, viewOf } from "#test/support/ca/rotation/views";

const minute = 60_000;
const states: readonly RootState[] = [
  "generated",
  "published",
  "propagated",
  "prepared",
  "active",
  "retiring",
  "tainted",
  "retired",
];

/** The one step of a root in this state, as `from -> to: what holds it up`. */
function stepOf(state: RootState, but: Partial<RotationView> = {}): string {
  const steps = decideSteps(viewOf([state], but));
  assert.ok(steps.length <= 1);
  return steps.map(({ from, to, heldUpBy }) => `${from} -> ${to}: ${heldUpBy.map(({ kind }) => kind)}`).join();
}

test("each state has its next one, and its guards", () => {
  const late = { nowMillis: 60 * minute };
  const under = { certificates: [certificateInUse(1, { issuerKeyId: "issuer of root 0" })], ...late };
  const behind = { certificates: [certificateInUse(1, { bundleSequence: 4 })], ...late };
  const tested = { selfTest: { ok: true }, ...late } as const;
  const failed = { selfTest: { ok: false, message: "no" }, ...late } as const;
  assert.equal(stepOf("generated", late), "generated -> published: self-test");
  assert.equal(stepOf("generated", failed), "generated -> published: self-test");
  assert.equal(stepOf("generated", tested), "generated -> published: ");
  assert.equal(stepOf("published", { nowMillis: 3 * minute }), "published -> propagated: time");
  assert.equal(stepOf("published", { nowMillis: 3 * minute + 1 }), "published -> propagated: ");
  assert.equal(stepOf("published", behind), "published -> propagated: certificate");
  assert.equal(stepOf("propagated", late), "propagated -> active: self-test");
  assert.equal(stepOf("propagated", { ...tested, ...behind }), "propagated -> active: certificate");
  assert.equal(stepOf("propagated", tested), "propagated -> active: ");
  assert.equal(stepOf("retiring", { nowMillis: 10 * minute }), "retiring -> retired: time");
  assert.equal(stepOf("retiring", late), "retiring -> retired: ");
  assert.equal(stepOf("retiring", under), "retiring -> retired: certificate");
  assert.equal(stepOf("retiring", { ...late, signingRootKeyId: "root 0" }), "retiring -> retired: in-force");
  assert.equal(stepOf("tainted", under), "tainted -> retired: ");
  for (const state of ["prepared", "active", "retired"] as const) assert.equal(stepOf(state, under), "");
});

test("a certificate by an issuer that nobody knows holds up every root that leaves, and so does a live stream", () => {
  const late = { nowMillis: 60 * minute };
  const certificates = [certificateInUse(1, { issuerKeyId: "whose?" })];
  assert.equal(stepOf("retiring", { ...late, certificates }), "retiring -> retired: certificate");
  const [{ spiffeId, fingerprint }] = certificates as [(typeof certificates)[0]];
  const streams = [{ spiffeId, fingerprint, node: "", acknowledged: "5", rejected: undefined }];
  assert.equal(stepOf("retiring", { ...late, certificates, streams }), "retiring -> retired: stream,certificate");
});

test("of two roots that are on their way the older goes on, and the other is withdrawn", () => {
  const steps = decideSteps(viewOf(["active", "published", "generated"], { nowMillis: 60 * minute }));
  assert.deepEqual(
    steps.map(({ rootKeyId, to, heldUpBy }) => [rootKeyId, to, heldUpBy.length]),
    [
      ["root 1", "propagated", 0],
      ["root 2", "retired", 0],
    ],
  );
});

test("whatever there is, there is an answer: at most one step for each root, and a plan or a reason", () => {
  const numbers = fc.integer({ min: 0, max: 12 });
  const certificate = fc
    .record({
      number: numbers,
      key: numbers,
      by: numbers,
      sequence: fc.option(numbers, { nil: undefined }),
      issuer: numbers,
    })
    .map(({ number, key, by, sequence, issuer }) =>
      certificateInUse(number, {
        spkiHash: `key ${key}`,
        evidence: `certificate ${by}`,
        bundleSequence: sequence,
        issuerKeyId: `issuer of root ${issuer}`,
      }),
    );
  const view = fc.record({
    states: fc.array(fc.constantFrom(...states), { maxLength: 5 }),
    certificates: fc.array(certificate, { maxLength: 12 }),
    acknowledged: fc.array(fc.constantFrom("5", "4", undefined), { maxLength: 4 }),
    nowMillis: fc.integer({ min: -60 * minute, max: 60 * minute }),
    remove: fc.option(fc.constantFrom("root 0", "root 1", "root 7"), { nil: undefined }),
  });
  fc.assert(
    fc.property(view, ({ states: given, certificates, acknowledged, nowMillis, remove }) => {
      const streams = acknowledged.map((version, i) => ({
        spiffeId: `stream ${i}`,
        fingerprint: `certificate ${i}`,
        node: "",
        acknowledged: version,
        rejected: undefined,
      }));
      const asked = viewOf(given, { certificates, streams, nowMillis });
      const steps = decideSteps(asked);
      assert.equal(new Set(steps.map(({ rootKeyId }) => rootKeyId)).size, steps.length);
      for (const { rootKeyId, from } of steps)
        assert.equal(from, asked.roots.find(({ keyId }) => keyId === rootKeyId)?.state);
      try {
        const plan = planEmergency(asked, remove);
        assert.match(plan.confirmation, /^(activate|remove) root [0-9]+ leaving [0-9]+ behind$/);
      } catch (fault) {
        assert.match(Reflect.get(Object(fault), "code"), /^ca-rotation\/(none|root)$/);
      }
    }),
  );
});
