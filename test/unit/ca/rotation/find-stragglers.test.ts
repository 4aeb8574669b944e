import assert from "node:assert/strict";
import { test } from "node:test";
import type { BundleStream, RootState, RotationView } from "#ca/rotation/contract";
import { findStragglers } from "#ca/rotation/find-stragglers";
import { forecast } from "#ca/rotation/forecast";
import type { CertificateInUse } from "#ca/store/contract";
import { certificateInUse, viewOf } from "#test/support/ca/rotation/views";

const minute = 60_000;
const hour = 60 * minute;

const old = { bundleSequence: 4 };
const renewedFrom = (n: number, but: Partial<CertificateInUse> = {}) => ({ evidence: `certificate ${n}`, ...but });
const streamOf = (n: number, but: Partial<BundleStream> = {}): BundleStream => ({
  spiffeId: "spiffe://example.org/web",
  fingerprint: `certificate ${n}`,
  node: `node ${n}`,
  acknowledged: "5",
  rejected: undefined,
  ...but,
});

/** Serials and nodes of those who hold up. */
function held(
  certificates: readonly CertificateInUse[],
  streams: readonly BundleStream[] = [],
  but: Partial<RotationView> = {},
): readonly string[] {
  const holds = findStragglers(viewOf(["published"], { certificates, streams, nowMillis: hour, ...but }));
  return holds.map((hold) =>
    hold.kind === "certificate" ? hold.serialHex : hold.kind === "stream" ? hold.node : hold.kind,
  );
}

test("a certificate that was given with the bundle in force or a later one has it; one from before does not, nor one that is not known to", () => {
  const certificates = [
    certificateInUse(1),
    certificateInUse(2, { bundleSequence: 6 }),
    certificateInUse(3, old),
    certificateInUse(4, { bundleSequence: undefined }),
  ];
  assert.deepEqual(held(certificates), ["3", "4"]);
});

test("the authority's own certificate waits for nobody", () => {
  assert.deepEqual(held([certificateInUse(1, { ...old, method: "self" })]), []);
});

test("the same key is the same holder, from when the newer answer must have arrived", () => {
  const same = { spkiHash: "key" };
  const first = certificateInUse(1, { ...same, ...old });
  const newer = certificateInUse(2, { ...same, atMillis: hour - 3 * minute });
  assert.deepEqual(held([first, newer]), []);
  assert.deepEqual(held([newer, first], [], { nowMillis: hour - 1 }), ["1"], "it may be on its way");
  const underWay = certificateInUse(2, { ...same, fingerprint: undefined });
  assert.deepEqual(held([first, underWay]), ["1"]);
  const older = certificateInUse(3, { ...same, ...old });
  assert.deepEqual(
    held([first, newer, older]),
    ["1"],
    "the newest was given with the bundle before, by another replica",
  );
});

test("a key of which every certificate carries the bundle holds nothing up, also one that is under way", () => {
  assert.deepEqual(held([certificateInUse(1, { fingerprint: undefined })]), []);
  assert.deepEqual(held([certificateInUse(1, { fingerprint: undefined, ...old })]), ["1"]);
});

test("a holder that went over to a new key by its certificate is followed there", () => {
  const first = certificateInUse(1, old);
  assert.deepEqual(held([first, certificateInUse(2, renewedFrom(1))]), []);
  assert.deepEqual(held([first, certificateInUse(2, renewedFrom(1, old))]), ["2"]);
  const late = certificateInUse(2, renewedFrom(1, { atMillis: hour - minute }));
  assert.deepEqual(held([first, late]), ["1"], "the answer may be on its way");
  assert.deepEqual(held([first, late], [], { nowMillis: hour + 2 * minute }), []);
});

test("a key that was given up is nobody's any more as soon as a stream is open with a later one", () => {
  const recent = { atMillis: hour - minute };
  const chain = [
    certificateInUse(1, old),
    certificateInUse(2, renewedFrom(1, { ...old, ...recent })),
    certificateInUse(3, renewedFrom(2, { ...old, ...recent })),
  ];
  assert.deepEqual(held(chain), ["1", "2", "3"]);
  assert.deepEqual(held(chain, [streamOf(3)]), []);
  assert.deepEqual(held(chain, [streamOf(2)]), [], "the stream speaks for what came after it");
  assert.deepEqual(held(chain, [streamOf(3, { acknowledged: "4" })]), ["node 3"], "and is waited for itself");
  const other = certificateInUse(4, renewedFrom(1, { ...old, ...recent }));
  assert.deepEqual(held([...chain, other], [streamOf(3)]), ["4"], "another follower may be somebody else's");
});

test("what a token or another identity was given says nothing of a certificate", () => {
  const first = certificateInUse(1, old);
  assert.deepEqual(held([first, certificateInUse(2, renewedFrom(1, { method: "jwt" }))]), ["1"]);
  assert.deepEqual(held([first, certificateInUse(2, renewedFrom(1, { spiffeId: "spiffe://example.org/other" }))]), [
    "1",
  ]);
});

test("where two renewed one certificate both are waited for: it may have been copied", () => {
  const certificates = [
    certificateInUse(1, old),
    certificateInUse(2, renewedFrom(1, old)),
    certificateInUse(3, renewedFrom(1)),
  ];
  assert.deepEqual(held(certificates), ["2"]);
  assert.deepEqual(held(certificates, [streamOf(1)]), ["2"], "a stream of the first speaks for neither");
  assert.deepEqual(held(certificates, [streamOf(2)]), []);
});

test("a stream speaks for its certificate and those that its holder got since, and holds up until it acknowledges", () => {
  const certificates = [certificateInUse(1, old), certificateInUse(2, renewedFrom(1, old))];
  assert.deepEqual(held(certificates, [streamOf(1)]), []);
  assert.deepEqual(held(certificates, [streamOf(2)]), []);
  assert.deepEqual(held(certificates, [streamOf(1, { acknowledged: "4" })]), ["node 1"]);
  assert.deepEqual(held(certificates, [streamOf(1, { acknowledged: undefined })]), ["node 1"]);
  assert.deepEqual(held(certificates, [streamOf(1, { fingerprint: undefined })]), ["2"]);
  assert.deepEqual(held([], [streamOf(7, { acknowledged: "4" })]), ["node 7"], "whoever it is");
});

test("what a stream rejected before is not what it rejects now", () => {
  const rejecting = (version: string) => [streamOf(1, { acknowledged: "3", rejected: { version, message: "no" } })];
  const words = (version: string) =>
    findStragglers(viewOf(["published"], { streams: rejecting(version) })).map((hold) => Reflect.get(hold, "rejected"));
  assert.deepEqual([words("5"), words("4")], [["no"], [undefined]]);
});

test("an identity that was waived holds nothing up, neither its certificates nor its streams", () => {
  const waived = new Set(["spiffe://example.org/web"]);
  assert.deepEqual(held([certificateInUse(1, old)], [streamOf(1, { acknowledged: "4" })], { waived }), []);
});

test("a certificate whose root was removed holds nothing up, and is no proxy that could break", () => {
  const lost = certificateInUse(1, old);
  const kept = certificateInUse(2, { ...old, issuerKeyId: "issuer of root 1" });
  const states = (first: RootState) =>
    viewOf([first, "active", "published"], { certificates: [lost, kept], nowMillis: hour });
  const serialsOf = (first: RootState) =>
    findStragglers(states(first)).map((hold) => (hold.kind === "certificate" ? hold.serialHex : hold.kind));
  assert.deepEqual([serialsOf("retiring"), serialsOf("retired")], [["1", "2"], ["2"]]);
  assert.deepEqual([forecast(states("retiring")).proxies, forecast(states("retired")).proxies], [2, 1]);
});

test("a straggler is waited for until its old certificate has ended for slow clocks too, or the newer one has arrived", () => {
  const untilOf = (certificates: readonly CertificateInUse[]) =>
    findStragglers(viewOf(["published"], { certificates, nowMillis: hour })).map((hold) =>
      Reflect.get(hold, "untilMillis"),
    );
  assert.deepEqual(untilOf([certificateInUse(1, old)]), [24 * hour + 10 * minute]);
  const late = certificateInUse(2, renewedFrom(1, { atMillis: hour - minute }));
  assert.deepEqual(untilOf([certificateInUse(1, old), late]), [hour + 2 * minute]);
});

test("the forecast counts a holder once, by what it got last, and leaves out what has ended", () => {
  const certificates = [
    certificateInUse(1, { notAfterMillis: 2 * hour }),
    certificateInUse(2, renewedFrom(1, { notAfterMillis: 9 * hour })),
    certificateInUse(3, { notAfterMillis: 5 * hour, issuerKeyId: "issuer of root 1" }),
    certificateInUse(4, { notAfterMillis: hour }),
    certificateInUse(5, { method: "self", notAfterMillis: 2 * hour }),
  ];
  const told = forecast(viewOf(["retiring", "active"], { certificates, nowMillis: hour }));
  assert.deepEqual([told.proxies, told.identities], [2, 1]);
  assert.deepEqual(
    [told.ends?.firstMillis, told.ends?.halfMillis, told.ends?.lastMillis],
    [5 * hour, 5 * hour, 9 * hour],
  );
  assert.deepEqual(
    told.ifRemoved.map(({ role, keyId, proxies }) => [role, keyId, proxies]),
    [
      ["root", "root 0", 1],
      ["root", "root 1", 1],
      ["issuing", "issuer of root 0", 1],
      ["issuing", "issuer of root 1", 1],
    ],
  );
});
