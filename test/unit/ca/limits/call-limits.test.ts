import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Caller } from "#ca/callers/contract";
import { callerName, createCallLimits } from "#ca/limits/call-limits";
import { createRateLimiter, type Rate } from "#ca/limits/rate-limiter";
import { addressName } from "#platform/door/remote-address";
import { idOf } from "#test/support/ca/callers";
import { Random, testSeed } from "#test/support/random";

const random = new Random(testSeed("limits"));
const randomBytes = (sizeBytes: number) => Uint8Array.from({ length: sizeBytes }, () => random.below(256));

/** A limiter whose clock goes when it is told to. */
function limiterOf(rate: Rate, slots?: number) {
  const scene = { rate, nowMillis: 123.456 };
  const limiter = createRateLimiter({
    rate: () => scene.rate,
    monotonicMillis: () => scene.nowMillis,
    random: randomBytes,
    ...(slots === undefined ? {} : { slots }),
  });
  /** So many in a row are let through, of at most `most`. */
  const taken = (name: string, most: number) => {
    for (let i = 0; i < most; i++) if (!limiter.take(name).ok) return i;
    return most;
  };
  return { scene, limiter, taken };
}

describe("a limit of requests", () => {
  it("lets a burst through, and then so many in a second", () => {
    for (const rate of [
      { perSecond: 1, burst: 1 },
      { perSecond: 3, burst: 7 },
      { perSecond: 200, burst: 1000 },
    ]) {
      const { scene, taken } = limiterOf(rate);
      assert.equal(taken("a", 10_000), rate.burst);
      scene.nowMillis += 1000;
      assert.equal(taken("a", 10_000), Math.min(rate.perSecond, rate.burst));
      scene.nowMillis += 1000 * 3600;
      assert.equal(taken("a", 10_000), rate.burst);
    }
  });

  it("tells when to ask again, and then is true to it", () => {
    const { scene, limiter, taken } = limiterOf({ perSecond: 4, burst: 10 });
    taken("a", 100);
    const refusal = limiter.take("a");
    assert.deepEqual(refusal, { ok: false, retryAfterMillis: 250 });
    scene.nowMillis += 100;
    assert.deepEqual(limiter.take("a"), { ok: false, retryAfterMillis: 150 });
    scene.nowMillis += 150;
    assert.deepEqual(limiter.take("a"), { ok: true });
    assert.equal(limiter.take("a").ok, false);
  });

  it("counts nothing for what is refused", () => {
    const { scene, taken, limiter } = limiterOf({ perSecond: 10, burst: 5 });
    taken("a", 100);
    for (let i = 0; i < 10_000; i++) limiter.take("a");
    scene.nowMillis += 100;
    assert.equal(taken("a", 100), 1);
  });

  it("is each name's own", () => {
    const { taken } = limiterOf({ perSecond: 1, burst: 3 });
    for (let i = 0; i < 1000; i++) assert.equal(taken(`name ${i}`, 3), 3);
  });

  it("changes from the next request on", () => {
    const { scene, taken } = limiterOf({ perSecond: 1, burst: 2 });
    assert.equal(taken("a", 100), 2);
    scene.rate = { perSecond: 1, burst: 5 };
    assert.equal(taken("a", 100), 3);
  });

  it("forgets nobody's debt, whoever comes in what number", () => {
    const { taken, limiter } = limiterOf({ perSecond: 1, burst: 10 });
    taken("in a loop", 100);
    for (let i = 0; i < 300_000; i++) limiter.take(`stranger ${i}`);
    assert.equal(taken("in a loop", 100), 0);
  });

  it("lets others through while many are over it", () => {
    const { taken } = limiterOf({ perSecond: 1, burst: 20 });
    for (let i = 0; i < 300; i++) taken(`in a loop ${i}`, 100);
    let hindered = 0;
    for (let i = 0; i < 20_000; i++) if (taken(`other ${i}`, 1) === 0) hindered++;
    // Expected: (300 / 65,536)⁴ of them, which is none in a hundred thousand runs.
    assert.equal(hindered, 0, `${hindered} of 20,000 were hindered`);
  });

  it("refuses when in doubt: names that share all buckets share their rate", () => {
    const { taken } = limiterOf({ perSecond: 1, burst: 10 }, 1);
    assert.equal(taken("a", 4), 4);
    assert.equal(taken("b", 100), 6);
    assert.throws(() => limiterOf({ perSecond: 1, burst: 1 }, 3));
  });

  it("has buckets where nobody can foresee", () => {
    const shared = (seed: number) => {
      const limiter = createRateLimiter({
        rate: () => ({ perSecond: 1, burst: 1 }),
        monotonicMillis: () => 0,
        random: (sizeBytes) => new Uint8Array(sizeBytes).fill(seed),
        slots: 16,
      });
      limiter.take("victim");
      return Array.from({ length: 64 }, (_, i) => limiter.take(`attacker ${i}`).ok);
    };
    assert.deepEqual(shared(1), shared(1));
    assert.notDeepEqual(shared(1), shared(2));
  });
});

describe("limits of calls", () => {
  it("are for addresses and for callers, each with a code of its own", () => {
    let nowMillis = 0;
    const limits = createCallLimits({
      rates: () => ({ perAddressPerSecond: 10, perAddressBurst: 2, perCallerPerSecond: 1, perCallerBurst: 1 }),
      monotonicMillis: () => nowMillis,
      random: randomBytes,
    });
    assert.deepEqual(
      [1, 2, 3].map(() => limits.address("192.0.2.7")),
      [{ ok: true }, { ok: true }, { ok: false, code: "rate/address", retryAfterMillis: 100 }],
    );
    assert.deepEqual(limits.address("192.0.2.8"), { ok: true });
    assert.deepEqual(limits.address("::ffff:192.0.2.7"), { ok: false, code: "rate/address", retryAfterMillis: 100 });
    const operator: Caller = { method: "operator" };
    assert.deepEqual(limits.caller(operator), { ok: true });
    assert.deepEqual(limits.caller(operator), { ok: false, code: "rate/caller", retryAfterMillis: 1000 });
    nowMillis += 1000;
    assert.deepEqual(limits.caller(operator), { ok: true });
  });

  it("count addresses that one machine can have as one", () => {
    const groups = [
      ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "::FFFF:192.0.2.7"],
      ["192.0.2.8"],
      ["2001:db8:0:1::1", "2001:db8:0:1:ffff::", "2001:DB8:0:1:0:0:0:2"],
      ["2001:db8:0:2::1"],
      ["fe80::1", "fe80::1%eth0"],
      [undefined],
      ["", "x", "::10.1.2.3"],
    ];
    const names = groups.map((group) => new Set(group.map(addressName)));
    for (const [i, each] of names.entries()) assert.equal(each.size, 1, `${groups[i]}`);
    assert.equal(new Set(names.flatMap((each) => [...each])).size, groups.length);
  });

  it("count callers by who they are, not by what they bring", () => {
    const id = idOf("spiffe://example.org/ns/foo/sa/web");
    const svid = (fingerprint: string): Caller => ({ method: "x509-svid", id, fingerprint, serialHex: "01" });
    const jwt = (issuer: string, subject: string | undefined): Caller => ({
      method: "jwt",
      issuer,
      subject,
      claims: {},
      evidence: "",
    });
    assert.equal(callerName(svid("a")), callerName(svid("b")));
    assert.equal(callerName({ method: "join-token", id, tokenHash: "" }), callerName(svid("a")));
    const others = [
      svid("a"),
      jwt("a", "b"),
      jwt("a b", ""),
      jwt("a", undefined),
      jwt("a", ""),
      jwt('a","b', ""),
      jwt("operator", undefined),
      jwt(id.toString(), undefined),
      { method: "operator" } as const,
    ];
    assert.equal(new Set(others.map(callerName)).size, others.length);
  });
});
