import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { mostSignedBytes } from "#ca/deny-list/decode-signed";
import { createDenyListFollower, type DenyListFollowerParts } from "#ca/deny-list/follow-deny-list";
import { signDenyList } from "#ca/deny-list/sign-deny-list";
import { type DenyListFile, denyListFile } from "#ca/deny-list/state-file";
import type { DenyList } from "#identity/deny-list/deny-list";
import { makeSigner } from "#test/support/ca/deny-list-signer";
import { makeAuthority } from "#test/support/ca/make-certificate";
import { recordLog } from "#test/support/ca/record-log";
import { denyListOf } from "#test/support/deny-lists";
import { createFakeTime } from "#test/support/keys/fake-time";
import { tempFolder } from "#test/support/service/temp-folder";

const root = makeAuthority({ kind: "P-256", profile: "root" });
const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
const stranger = makeAuthority({ kind: "P-384", profile: "root" });
const signer = makeSigner(issuing);
const startMillis = Date.now();
const identities = ["spiffe://cluster.local/ns/a/sa/b"];
const hour = 3_600_000;

const list = (sequence: number, issuedMillis = startMillis) => denyListOf({ sequence, issuedMillis, identities });
const signed = (sequence: number, issuedMillis = startMillis) => signDenyList(list(sequence, issuedMillis), signer);

/** A file in memory. */
function memoryFile(bytes?: Uint8Array): DenyListFile & { bytes: Uint8Array | undefined } {
  return {
    bytes,
    async read() {
      return this.bytes;
    },
    async write(next) {
      this.bytes = next;
    },
  };
}

function scene(parts: Partial<DenyListFollowerParts> = {}) {
  const time = createFakeTime(startMillis);
  const { log, lines } = recordLog();
  const inForce: number[] = [];
  const follower = createDenyListFollower({
    trustDomain: "cluster.local",
    anchors: () => [root.certificate],
    held: undefined,
    file: memoryFile(),
    clock: time,
    log,
    onList: ({ sequence }: DenyList) => void inForce.push(sequence),
    ...parts,
  });
  return { time, lines, inForce, follower };
}

test("a list is in force and on the disk when the authority has sent it, and nothing older or foreign after that", async () => {
  const file = memoryFile();
  const { follower, inForce, lines } = scene({ file });
  assert.equal(follower.current(), undefined);
  assert.equal(follower.status().list, undefined);
  assert.equal(follower.events.update(signed(7)), undefined);
  const anew = signed(7, startMillis + 1);
  assert.equal(follower.events.update(anew), undefined);
  const refusals = [
    [signed(6), "deny-list/older"],
    [signDenyList(denyListOf({ trustDomain: "other.local" }), signer), "deny-list/other-domain"],
    [signDenyList(list(9), makeSigner(stranger)), "deny-list/signer"],
    [signDenyList(list(9), { ...makeSigner(issuing), privateKey: stranger.privateKey }), "deny-list/signature"],
    [new Uint8Array(100), "deny-list/unreadable"],
  ] as const;
  for (const [bytes, code] of refusals) {
    const told = follower.events.update(bytes);
    assert.equal(follower.status().refused?.code, code);
    assert.equal(told, follower.status().refused?.message);
  }
  await follower.settled();
  assert.deepEqual([inForce, follower.current()?.sequence, follower.status().refusals], [[7, 7], 7, 5]);
  assert.deepEqual(file.bytes, anew);
  assert.equal(follower.events.update(signed(8)), undefined);
  assert.equal(follower.status().refused, undefined);
  assert.equal(lines.filter(({ message }) => message === "deny list refused").length, 5);
});

test("what is refused again and again is logged once and counted each time", () => {
  const { follower, lines } = scene();
  for (let i = 0; i < 3; i++) follower.events.update(new Uint8Array(1));
  assert.equal(lines.length, 1);
  assert.equal(follower.status().refusals, 3);
});

test("the disk's list counts at the start, by the anchors of now and the time of its issue", async () => {
  const late = scene({ file: memoryFile(signed(7)) });
  late.time.jump(48 * hour);
  await late.follower.load();
  assert.deepEqual(late.follower.status().list, {
    sequence: 7,
    issuedMillis: startMillis,
    certificates: 0,
    identities: 1,
    from: "disk",
  });
  // By now the signer's certificate has ended: from the authority it would not be taken.
  assert.match(late.follower.events.update(signed(7)) ?? "", /expired/);
  const moved = scene({ file: memoryFile(signed(7)), anchors: () => [stranger.certificate] });
  await moved.follower.load();
  assert.equal(moved.follower.current(), undefined);
  assert.equal(moved.follower.status().refused?.code, "deny-list/signer");
});

test("the disk's list takes nothing from a newer one, and the authority's older one nothing from the disk's", async () => {
  const { follower, inForce } = scene({ file: memoryFile(signed(7)) });
  follower.events.update(signed(8));
  await follower.load();
  assert.deepEqual(inForce, [8]);
  const other = scene({ file: memoryFile(signed(7)) });
  await other.follower.load();
  other.follower.events.update(signed(6));
  assert.equal(other.follower.status().refused?.code, "deny-list/older");
  assert.equal(other.follower.current()?.sequence, 7);
});

test("a list that was in force before goes on, without being told again", () => {
  const { follower, inForce } = scene({ held: list(7) });
  assert.deepEqual([follower.current()?.sequence, inForce], [7, []]);
  follower.events.update(signed(6));
  assert.equal(follower.status().refused?.code, "deny-list/older");
});

test("a lost connection changes nothing but the status, which says since when and why", async () => {
  const { follower, time } = scene();
  follower.events.connected();
  follower.events.update(signed(7));
  await time.advance(hour);
  const before = follower.status();
  assert.deepEqual([before.connected, before.sinceMillis, before.reason], [true, startMillis, undefined]);
  follower.events.disconnected("refused");
  await time.advance(hour);
  follower.events.disconnected("no route");
  const { connected, sinceMillis, reason } = follower.status();
  assert.deepEqual([connected, sinceMillis, reason], [false, startMillis + hour, "no route"]);
  assert.equal(follower.current()?.sequence, 7);
});

test("a disk that takes nothing is told until it does; of lists that come meanwhile the last is kept", async () => {
  let full = true;
  const kept: Uint8Array[] = [];
  const file: DenyListFile = {
    read: async () => undefined,
    async write(bytes) {
      if (full) throw new Error("no room");
      kept.push(bytes);
    },
  };
  const { follower, lines } = scene({ file });
  follower.events.update(signed(7));
  await follower.settled();
  follower.events.update(signed(8));
  await follower.settled();
  assert.deepEqual(
    [follower.status().unkept?.code, follower.status().unkept?.message],
    ["deny-list/state-file", "no room"],
  );
  assert.equal(lines.filter(({ message }) => message === "the deny list is not kept").length, 1);
  full = false;
  const newest = signed(11);
  for (const bytes of [signed(9), signed(10), newest]) follower.events.update(bytes);
  await follower.settled();
  assert.deepEqual([kept.length, kept.at(-1)], [2, newest]);
  assert.equal(follower.status().unkept, undefined);
});

async function onDisk(t: TestContext, bytes?: Uint8Array) {
  const path = join(await tempFolder(t), "deny-list");
  if (bytes !== undefined) await writeFile(path, bytes);
  const opened = scene({ file: denyListFile(path) });
  await opened.follower.load();
  return { path, ...opened };
}

test("a file is replaced whole, for the owner alone, and read back by the next start", async (t) => {
  const { path, follower, inForce } = await onDisk(t);
  assert.deepEqual([inForce, follower.status().refused], [[], undefined]);
  follower.events.update(signed(7));
  await follower.settled();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(path, "..")), ["deny-list"]);
  const next = await onDisk(t, new Uint8Array(await readFile(path)));
  assert.deepEqual(next.inForce, [7]);
});

test("a file that is half written, of another domain, edited, too large or a folder is refused, and replaced by the next list", async (t) => {
  const whole = signed(7);
  const edited = Uint8Array.from(whole);
  edited[30] = edited[30]! ^ 1;
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [whole.subarray(0, whole.length / 2), /unreadable/],
    [new Uint8Array(0), /unreadable/],
    [edited, /unreadable|signature|other-domain/],
    [signDenyList(denyListOf({ trustDomain: "other.local", issuedMillis: startMillis }), signer), /other-domain/],
    [new Uint8Array(mostSignedBytes + 1), /state-file/],
  ];
  for (const [bytes, code] of cases) {
    const { path, follower, inForce } = await onDisk(t, bytes);
    assert.deepEqual(inForce, []);
    assert.match(follower.status().refused?.code ?? "", code);
    follower.events.update(whole);
    await follower.settled();
    assert.deepEqual(new Uint8Array(await readFile(path)), whole);
  }
  const folder = await tempFolder(t);
  const { follower } = scene({ file: denyListFile(folder) });
  await follower.load();
  assert.equal(follower.status().refused?.code, "deny-list/state-file");
  await assert.rejects(denyListFile(join(folder, "none/deny-list")).write(whole), { code: "deny-list/state-file" });
});

test("a file that was rolled back counts until the authority is heard, and is then replaced", async (t) => {
  const { path, follower, inForce } = await onDisk(t, signed(5));
  assert.deepEqual([inForce, follower.status().list?.from], [[5], "disk"]);
  const newest = signed(7);
  follower.events.update(newest);
  await follower.settled();
  assert.deepEqual(new Uint8Array(await readFile(path)), newest);
});
