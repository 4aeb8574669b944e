import assert from "node:assert/strict";
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { keyFingerprint } from "#authz/rulesets/bundle/keys";
import type { BundleSettings } from "#authz/rulesets/bundle/settings";
import { signBundle } from "#authz/rulesets/bundle/sign-bundle";
import { type BundleRulesOptions, bundleRules } from "#test/support/bundle/bundle-rules";
import { type BundleServer, startBundleServer } from "#test/support/bundle/bundle-server";
import { bundleKeys, keyFiles, laterSeconds, makeBundle } from "#test/support/bundle/make-bundle";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { redirecting, sending, startHostileIssuer } from "#test/support/issuer/hostile-issuer";
import { tempFolder } from "#test/support/service/temp-folder";

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});
after(() => certificates.remove());

/** A server, a pair of keys, and sources of the server that share a folder. */
async function scene(t: TestContext) {
  const server = await startBundleServer(t, certificates);
  const folder = await tempFolder(t);
  const keys = keyFiles(folder);
  const state = join(folder, "state");
  const rules = (settings: Partial<BundleSettings> = {}, more: Omit<BundleRulesOptions, "settings"> = {}) => {
    const { publicKeyFile } = keys;
    const own = { url: server.url, publicKeyFile, folder: state, caFile: certificates.ca };
    return bundleRules(t, { ...more, settings: { ...own, ...settings } });
  };
  const bundle = (path: string, more = 0) => makeBundle(path, keys.key, { timeSeconds: laterSeconds(more) });
  const kept = async () => join(state, (await readdir(state)).find((name) => name.startsWith("last-known-good-"))!);
  return { server, folder, state, keys, rules, bundle, kept };
}

const statuses = ({ asked }: BundleServer) => asked.map(({ status }) => status);

test("a bundle is in force with its revision and signer, and is fetched once as long as it is the newest", async (t) => {
  const { server, rules, bundle, keys, kept } = await scene(t);
  server.offer(bundle("/one"));
  const site = await rules();
  assert.equal(await site.load(), "activated", site.logged());
  const { active, current, source } = site.status();
  assert.deepEqual(active?.revision, {
    commit: "/one",
    signer: keyFingerprint(keys.key),
    builtMillis: laterSeconds(0) * 1000,
  });
  assert.deepEqual([current, site.revision(), active?.counts.rules], [true, "/one", 1]);
  assert.equal(source, `bundle ${server.url}`);
  assert.deepEqual(new Uint8Array(await readFile(await kept())), bundle("/one"));
  assert.equal((await stat(await kept())).mode & 0o077, 0);
  site.time.step(1000);
  assert.equal(await site.load(), "unchanged");
  assert.equal(site.status().lastSuccessMillis, site.time.clock.nowMillis());
  server.offer(bundle("/two", 1));
  assert.equal(await site.load(), "activated");
  assert.deepEqual([site.revision(), statuses(server)], ["/two", [200, 304, 200]]);
});

test("a server without entity tags is understood too, and what is kept is not written again", async (t) => {
  const { server, rules, bundle, kept } = await scene(t);
  server.offer(bundle("/one"), { tags: false });
  const site = await rules();
  await site.load();
  const { ino } = await stat(await kept());
  assert.equal(await site.load(), "unchanged");
  assert.deepEqual([(await stat(await kept())).ino, site.status().current, statuses(server)], [ino, true, [200, 200]]);
});

test("polls come with jitter, back off while the server is away, and find it again", async (t) => {
  const { server, rules, bundle } = await scene(t);
  server.offer(bundle("/one"));
  const site = await rules();
  await site.load();
  await site.sync.follow();
  assert.equal(site.time.nextMillis(), 60_000);
  await server.end();
  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    assert.equal(await site.load(), "refused");
    waits.push(site.time.nextMillis());
  }
  assert.deepEqual(waits, [120_000, 240_000, 480_000, 600_000, 600_000]);
  assert.deepEqual([site.code(), site.revision(), site.status().ready], ["bundle/unreachable", "/one", true]);
  assert.equal(site.status().nextAttemptMillis, site.time.clock.nowMillis() + 600_000);
  await server.reopen();
  server.offer(bundle("/two", 1));
  const changed = Promise.withResolvers<void>();
  site.sync.onChange(changed.resolve);
  site.time.step(600_000);
  await changed.promise;
  assert.deepEqual([site.revision(), site.status().current, site.time.nextMillis()], ["/two", true, 60_000]);
});

test("a bundle that is refused changes nothing, is not fetched again, and the next good one repairs it", async (t) => {
  const { server, rules, bundle } = await scene(t);
  server.offer(bundle("/one"));
  const site = await rules();
  await site.load();
  const flipped = bundle("/two", 1);
  flipped[flipped.length - 1]! ^= 1;
  const cases = [
    ["bundle/signature", makeBundle("/two", undefined)],
    ["bundle/signature", makeBundle("/two", bundleKeys().key, { timeSeconds: laterSeconds(1) })],
    ["bundle/damaged", flipped],
    ["bundle/damaged", bundle("/two", 1).subarray(0, -1)],
    ["bundle/damaged", Buffer.from("<html>503</html>")],
    ["bundle/damaged", new Uint8Array()],
    ["bundle/older", bundle("/two", -1)],
  ] as const;
  for (const [code, bytes] of cases) {
    server.offer(bytes);
    for (const status of [200, 304]) {
      assert.equal(await site.load(), "refused");
      assert.deepEqual([site.code(), site.revision(), statuses(server).at(-1)], [code, "/one", status]);
      assert.deepEqual([site.status().ready, site.status().current], [true, false]);
    }
  }
  server.offer(bundle("/one"));
  assert.equal(await site.load(), "unchanged");
  assert.equal(site.status().current, true, "what is in force is the newest again");
  server.offer(bundle("/two", 1));
  assert.equal(await site.load(), "activated");
  assert.equal(site.revision(), "/two");
});

test("signed rules that this version cannot read are refused, at a start too, where the kept ones stand in", async (t) => {
  const { server, rules, bundle, keys } = await scene(t);
  const strange = makeBundle("/new", keys.key, {
    timeSeconds: laterSeconds(5),
    rules: Buffer.from("garita\0\u00ff of another version"),
  });
  server.offer(bundle("/one"));
  const first = await rules();
  await first.load();
  server.offer(strange);
  for (const site of [first, await rules()]) {
    await site.load();
    assert.deepEqual([site.code(), site.revision()], ["ruleset/damaged", "/one"]);
  }
});

test("a bundle is prepared once, and one of the same rules, or of none that are taken, not at all", async (t) => {
  const { server, rules, bundle, keys } = await scene(t);
  const first = await rules();
  server.offer(bundle("/one"));
  await first.load();
  assert.equal(first.prepared(), 1);
  server.offer(makeBundle("/one", keys.key, { revision: "again", timeSeconds: laterSeconds(1) }));
  assert.equal(await first.load(), "activated");
  assert.deepEqual([first.revision(), first.prepared()], ["again", 1]);
  server.offer(bundle("/one", 0));
  assert.equal(await first.load(), "refused", "older");
  assert.equal(first.prepared(), 1);
  server.offer(bundle("/two", 2));
  await first.load();
  assert.deepEqual([first.revision(), first.prepared()], ["/two", 2]);
  await server.end();
  const second = await rules();
  await second.load();
  assert.deepEqual([second.revision(), second.prepared()], ["/two", 1], "the kept one too");
});

test("an older bundle is refused after a restart too, unless it is allowed", async (t) => {
  const { server, rules, bundle } = await scene(t);
  server.offer(bundle("/two", 1));
  await (await rules()).load();
  server.offer(bundle("/one"));
  const refusing = await rules();
  await refusing.load();
  assert.deepEqual([refusing.code(), refusing.revision()], ["bundle/older", "/two"]);
  const allowing = await rules({ allowOlder: true });
  await allowing.load();
  assert.deepEqual([allowing.code(), allowing.revision()], [undefined, "/one"]);
});

test("a bundle of the future is refused until then, so that it does not keep later ones out; also where it was refused before", async (t) => {
  const { server, rules, keys, bundle } = await scene(t);
  const site = await rules();
  const nowSeconds = () => site.time.clock.nowMillis() / 1000;
  const ahead = makeBundle("/wrong-clock", keys.key, { timeSeconds: nowSeconds() + 3600 });
  server.offer(ahead);
  for (const _ of [1, 2]) {
    assert.equal(await site.load(), "refused");
    assert.deepEqual([site.code(), site.revision()], ["bundle/ahead", undefined]);
    site.time.step(1000);
  }
  assert.equal(site.logged().match(/bundle\/ahead/g)?.length, 1, "it is told once");
  server.offer(bundle("/one"));
  assert.equal(await site.load(), "activated");
  server.offer(ahead);
  await site.load();
  assert.deepEqual([site.code(), site.revision()], ["bundle/ahead", "/one"]);
  site.time.step(51 * 60_000);
  assert.equal(await site.load(), "activated");
  assert.equal(site.revision(), "/wrong-clock");
  const allowing = await rules({ allowOlder: true });
  server.offer(makeBundle("/far", keys.key, { timeSeconds: nowSeconds() + 1e6 }));
  assert.equal(await allowing.load(), "activated");
});

test("a bundle for somebody else is refused where a name is expected", async (t) => {
  const { server, rules, keys, bundle } = await scene(t);
  server.offer(makeBundle("/one", keys.key, { name: "staging" }));
  const site = await rules({ name: "production" });
  assert.equal(await site.load(), "refused");
  assert.deepEqual([site.code(), site.revision()], ["bundle/name", undefined]);
  server.offer(bundle("/one"));
  await site.load();
  assert.match(
    site.status().candidate?.message ?? "",
    /expected a policy bundle for `production`, found one for nobody/,
  );
  server.offer(makeBundle("/two", keys.key, { name: "production" }));
  assert.equal(await site.load(), "activated");
});

test("the bundle of the last run stands in at a start without the server", async (t) => {
  const { server, rules, bundle } = await scene(t);
  server.offer(bundle("/one"));
  const first = await rules();
  await first.load();
  await first.sync.stop();
  await server.end();
  first.time.step(5_000);
  const staleness = { maxStaleMillis: 10_000, reaction: "deny" } as const;
  const second = await rules({}, { time: first.time, staleness });
  await second.load();
  const { ready, current, degraded } = second.status();
  assert.deepEqual([second.revision(), ready, current, second.code()], ["/one", true, false, "bundle/unreachable"]);
  assert.match(degraded?.reason ?? "", /cannot be fetched: fetch\/connect/);
  assert.equal(second.snapshot()?.expired, false);
  first.time.step(5_000);
  assert.equal(second.snapshot()?.expired, true, "its age goes on from the last run");
  await server.reopen();
  assert.equal(await second.load(), "unchanged");
  assert.deepEqual([second.status().current, second.snapshot()?.expired], [true, false]);
});

test("of two services that share a folder, the one that lags does not put an older bundle in the place of a newer one", async (t) => {
  const { server, rules, bundle, kept } = await scene(t);
  server.offer(bundle("/one"));
  const lagging = await rules();
  await lagging.load();
  const first = await rules();
  await first.load();
  server.offer(bundle("/three", 3));
  await first.load();
  server.offer(bundle("/two", 2));
  assert.equal(await lagging.load(), "activated");
  const restarted = await rules();
  await restarted.load();
  assert.deepEqual([restarted.code(), restarted.revision()], ["bundle/older", "/three"]);
  const confirmed = (await stat(await kept())).mtimeMs;
  lagging.time.step(60_000);
  assert.equal(await lagging.load(), "unchanged");
  assert.equal((await stat(await kept())).mtimeMs, confirmed, "nor calls that one the newest");
});

test("a kept bundle that is half written, changed or of a key that is not trusted any more is not used", async (t) => {
  const { server, rules, bundle, kept, keys } = await scene(t);
  server.offer(bundle("/one"));
  await (await rules()).load();
  await server.end();
  const file = await kept();
  const whole = await readFile(file);
  const spoil: readonly (() => Promise<unknown>)[] = [
    () => truncate(file, whole.length / 2),
    () => truncate(file, 0),
    () => writeFile(file, Buffer.concat([whole.subarray(0, -1), Buffer.from([whole.at(-1)! ^ 1])])),
    () => writeFile(file, Buffer.alloc(2 * 1024 * 1024)),
    () => writeFile(file, makeBundle("/two", bundleKeys().key)),
  ];
  for (const spoilt of spoil) {
    await spoilt();
    const site = await rules();
    assert.equal(await site.load(), "refused");
    assert.deepEqual([site.revision(), site.code()], [undefined, "bundle/unreachable"]);
    assert.ok(site.logged().includes('"code":"bundle/last-known-good"'), site.logged());
    assert.match(site.status().warnings.join(), /^the bundle of the last run is not used: /);
  }
  await writeFile(file, whole);
  const counterProof = await rules();
  await counterProof.load();
  assert.equal(counterProof.revision(), "/one");
  await writeFile(keys.publicKeyFile, bundleKeys().publicPem);
  const strangers = await rules();
  await strangers.load();
  assert.equal(strangers.revision(), undefined);
});

test("keys are exchanged while it runs: both, then the new one; the old one is not trusted any more", async (t) => {
  const { server, rules, bundle, keys } = await scene(t);
  const next = bundleKeys();
  server.offer(bundle("/one"));
  const site = await rules();
  await site.load();
  await writeFile(keys.publicKeyFile, `${keys.publicPem}${next.publicPem}`);
  assert.equal(await site.load(), "unchanged");
  const signedAnew = makeBundle("/two", next.key, { timeSeconds: laterSeconds(1) });
  server.offer(signedAnew);
  assert.equal(await site.load(), "activated");
  await writeFile(keys.publicKeyFile, next.publicPem);
  server.offer(bundle("/three", 2));
  assert.equal(await site.load(), "refused");
  assert.deepEqual([site.code(), site.revision()], ["bundle/signature", "/two"]);
  await writeFile(keys.publicKeyFile, "none");
  await site.load();
  assert.deepEqual([site.code(), site.revision()], ["bundle/keys", "/two"]);
});

test("a bundle that is signed anew is kept as it is now: the key of before may be gone at the next start", async (t) => {
  const { server, rules, bundle, keys } = await scene(t);
  const next = bundleKeys();
  server.offer(bundle("/one"));
  const site = await rules();
  await site.load();
  await writeFile(keys.publicKeyFile, next.publicPem);
  server.offer(signBundle(bundle("/one"), next.key));
  assert.equal(await site.load(), "unchanged");
  assert.deepEqual([site.status().active?.revision?.signer, site.prepared()], [keyFingerprint(next.key), 1]);
  assert.equal(await site.load(), "unchanged");
  assert.deepEqual(statuses(server), [200, 200, 304]);
  await server.end();
  const restarted = await rules();
  await restarted.load();
  assert.deepEqual([restarted.revision(), restarted.code()], ["/one", "bundle/unreachable"]);
});

test("what cannot be kept is told, and is in force all the same", async (t) => {
  const { server, rules, bundle, folder } = await scene(t);
  server.offer(bundle("/one"));
  const file = join(folder, "a-file");
  await writeFile(file, "");
  const site = await rules({ folder: file });
  assert.equal(await site.load(), "activated");
  assert.match(site.status().warnings[0] ?? "", /cannot be kept for a start without its server/);
});

test("a token is sent as it stands in its file, and never told", async (t) => {
  const { server, rules, bundle, folder } = await scene(t);
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "secret-7\n", { mode: 0o600 });
  server.offer(bundle("/one"));
  const site = await rules({ tokenFile, url: `${server.url}?signature=secret-8` });
  await site.load();
  assert.equal(server.asked[0]?.headers.authorization, "Bearer secret-7");
  await server.end();
  await site.load();
  assert.doesNotMatch(`${site.logged()}${JSON.stringify(site.status())}`, /secret-/);
});

test("servers that are slow, endless, huge, elsewhere or strangers do not wedge anything", async (t) => {
  const { rules, server, bundle } = await scene(t);
  const tls = { cert: certificates.file("server", "crt"), key: certificates.file("server", "key") };
  const hostile = await startHostileIssuer(t, sending(""), { tls });
  const url = hostile.uri.replace("127.0.0.1", "localhost");
  const site = await rules({ url, maxBytes: 4096 });
  const impatient = await rules({ url, timeoutMillis: 200 });
  const large = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
  for (const [behaviour, message, asking = site] of [
    [sending(""), /fetch\/reset/],
    [sending("HTTP/1.1 304 Not Modified\r\n\r\n"), /fetch\/redirect: status 304/],
    [sending("HTTP/1.1 500 No\r\n\r\n"), /fetch\/status: status 500/],
    [sending("garbage\r\n\r\n"), /fetch\/response/],
    [sending(large), /fetch\/too-large/],
    [sending("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"), /fetch\/truncated/],
    [() => undefined, /fetch\/timeout/, impatient],
    [redirecting(server.url), /fetch\/redirect/],
  ] as const) {
    hostile.become(behaviour);
    assert.equal(await asking.load(), "refused");
    assert.equal(asking.code(), "bundle/unreachable");
    assert.match(asking.status().candidate?.message ?? "", message);
  }
  assert.deepEqual(server.asked, [], "a redirect is not followed");
  const stranger = await rules({ caFile: undefined });
  await stranger.load();
  assert.match(stranger.status().candidate?.message ?? "", /fetch\/tls/);
  server.offer(bundle("/one"));
  const good = await rules();
  assert.equal(await good.load(), "activated");
});
