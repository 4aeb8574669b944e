import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { grantLifetime, type LifetimeWanted } from "#ca/issuance/lifetime";
import { issuanceDefaults } from "#ca/issuance/settings";

const now = Date.UTC(2026, 10, 26, 12, 0, 0, 500);
const hour = 3600_000;
const day = 24 * hour;

const wanted: LifetimeWanted = {
  askedSeconds: undefined,
  registered: { ttlSeconds: undefined, maxTtlSeconds: undefined },
  issuer: { notBeforeMillis: now - 30 * day - 500, notAfterMillis: now + 60 * day - 500 },
  nowMillis: now,
  chance: 0,
};

const cases: readonly {
  readonly name: string;
  readonly change: Partial<LifetimeWanted>;
  /** Seconds from now, rounded down; or the code of the refusal. */
  readonly expected: number | "ttl/too-long" | "authority/expiring";
}[] = [
  { name: "nothing asked for: the default", change: {}, expected: 86_399 },
  { name: "zero asked for: the default", change: { askedSeconds: 0 }, expected: 86_399 },
  { name: "less than nothing asked for: the default", change: { askedSeconds: -5 }, expected: 86_399 },
  { name: "what is asked for is given", change: { askedSeconds: 3600 }, expected: 3599 },
  { name: "a short one is given", change: { askedSeconds: 5 }, expected: 4 },
  {
    name: "the registration's default",
    change: { registered: { ttlSeconds: 7200, maxTtlSeconds: undefined } },
    expected: 7199,
  },
  {
    name: "more than the registration allows is refused, not cut",
    change: { askedSeconds: 7201, registered: { ttlSeconds: undefined, maxTtlSeconds: 7200 } },
    expected: "ttl/too-long",
  },
  {
    name: "exactly what the registration allows",
    change: { askedSeconds: 7200, registered: { ttlSeconds: undefined, maxTtlSeconds: 7200 } },
    expected: 7199,
  },
  {
    name: "a registration's most lowers the default",
    change: { registered: { ttlSeconds: undefined, maxTtlSeconds: 7200 } },
    expected: 7199,
  },
  {
    name: "a registration cannot raise the authority's most",
    change: { askedSeconds: 91 * 86_400, registered: { ttlSeconds: undefined, maxTtlSeconds: 365 * 86_400 } },
    expected: "ttl/too-long",
  },
  { name: "more than Istio's 90 days is refused", change: { askedSeconds: 90 * 86_400 + 1 }, expected: "ttl/too-long" },
  { name: "a number that is none: the default", change: { askedSeconds: Number.NaN }, expected: 86_399 },
  { name: "endless is refused", change: { askedSeconds: Number.POSITIVE_INFINITY }, expected: "ttl/too-long" },
  { name: "a chance shortens by up to a twentieth", change: { askedSeconds: 1000, chance: 0.999 }, expected: 949 },
  {
    name: "the issuer's end cuts, a minute before it",
    change: { issuer: { notBeforeMillis: now - day, notAfterMillis: now + 2 * hour } },
    expected: 7139,
  },
  {
    name: "too little is left of the issuer",
    change: { issuer: { notBeforeMillis: now - day, notAfterMillis: now + 60_000 + 599_000 } },
    expected: "authority/expiring",
  },
  {
    name: "a short one is given although little is left",
    change: { askedSeconds: 60, issuer: { notBeforeMillis: now - day, notAfterMillis: now + 180_000 } },
    expected: 59,
  },
  {
    name: "the issuer has ended",
    change: { askedSeconds: 5, issuer: { notBeforeMillis: now - day, notAfterMillis: now - 1000 } },
    expected: "authority/expiring",
  },
];

for (const { name, change, expected } of cases) {
  test(`lifetime: ${name}`, () => {
    const granted = grantLifetime(issuanceDefaults, { ...wanted, ...change });
    if (!granted.ok) assert.equal(granted.refusal.code, expected);
    else assert.equal(Math.floor((granted.lifetime.notAfterMillis - now) / 1000), expected);
  });
}

test("a certificate begins two minutes ago, and not before its issuer", () => {
  const granted = grantLifetime(issuanceDefaults, wanted);
  assert.ok(granted.ok);
  assert.equal(granted.lifetime.notBeforeMillis, now - 500 - 120_000);
  const young = { notBeforeMillis: now - 500, notAfterMillis: now + 60 * day };
  const fresh = grantLifetime(issuanceDefaults, { ...wanted, issuer: young });
  assert.ok(fresh.ok);
  assert.equal(fresh.lifetime.notBeforeMillis, now - 500);
});

test("a short certificate begins a quarter of its life ago at most, so that it is not due for renewal at once", () => {
  const granted = grantLifetime(issuanceDefaults, { ...wanted, askedSeconds: 40 });
  assert.ok(granted.ok);
  const { notBeforeMillis, notAfterMillis } = granted.lifetime;
  assert.equal(notBeforeMillis, now - 500 - 10_000);
  assert.ok((notBeforeMillis + notAfterMillis) / 2 > now + 10_000);
});

test("no lifetime is longer than asked for, outlives its issuer or has a fraction of a second", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -10, max: 100 * 86_400 }),
      fc.integer({ min: -86_400, max: 200 * 86_400 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.integer({ min: 0, max: 999 }),
      (askedSeconds, issuerSeconds, chance, fraction) => {
        const nowMillis = now + fraction;
        const issuer = { notBeforeMillis: now - 500 - day, notAfterMillis: now - 500 + issuerSeconds * 1000 };
        const granted = grantLifetime(issuanceDefaults, { ...wanted, askedSeconds, issuer, chance, nowMillis });
        if (!granted.ok) return;
        const { notBeforeMillis, notAfterMillis } = granted.lifetime;
        assert.ok(notAfterMillis <= issuer.notAfterMillis);
        assert.ok(notBeforeMillis >= issuer.notBeforeMillis);
        assert.ok(notAfterMillis <= nowMillis + Math.max(askedSeconds > 0 ? askedSeconds : 86_400, 1) * 1000);
        assert.ok(notAfterMillis > notBeforeMillis);
        assert.equal(notAfterMillis % 1000, 0);
        assert.equal(notBeforeMillis % 1000, 0);
      },
    ),
    { numRuns: 2_000 },
  );
});
