import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { sourceWarnings } from "#cli/serve/source-warnings";
import { bundleRules } from "#test/support/bundle/bundle-rules";
import { startBundleServer } from "#test/support/bundle/bundle-server";
import { keyFiles, laterSeconds, makeBundle } from "#test/support/bundle/make-bundle";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { tempFolder } from "#test/support/service/temp-folder";
import { type ExpiryCase, expiryCases } from "./expiry-cases.ts";

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});
after(() => certificates.remove());

const order = ["r1", "r2"] as const;

async function scene(t: TestContext, staleness: ExpiryCase["staleness"]) {
  const server = await startBundleServer(t, certificates);
  const folder = await tempFolder(t);
  const { key, publicKeyFile } = keyFiles(folder);
  const settings = { url: server.url, publicKeyFile, folder: join(folder, "state"), caFile: certificates.ca };
  const first = await bundleRules(t, { settings, ...(staleness && { staleness }) });
  const { time } = first;
  const begunSeconds = time.clock.nowMillis() / 1000;
  return {
    server,
    first,
    restarted: () => bundleRules(t, { settings, time, ...(staleness && { staleness }) }),
    bundle: (revision: (typeof order)[number], validFor: number | undefined) =>
      makeBundle(`/${revision}`, key, {
        revision,
        timeSeconds: laterSeconds(order.indexOf(revision)),
        ...(validFor === undefined ? {} : { expiresSeconds: begunSeconds + validFor }),
      }),
    time,
    begunSeconds,
  };
}

for (const { title, staleness, steps } of expiryCases) {
  test(`a bundle that can expire: ${title}`, async (t) => {
    const { server, first, restarted, bundle, time } = await scene(t, staleness);
    let site = first;
    for (const [i, { wait, offer, away, restart, load, expected }] of steps.entries()) {
      if (wait !== undefined) time.step(wait * 1000);
      if (offer !== undefined) server.offer(bundle(offer.revision, offer.validFor));
      if (away === true) await server.end();
      if (restart === true) {
        await site.sync.stop();
        site = await restarted();
      }
      if (load !== undefined) assert.equal(await site.load(), load, `step ${i}: ${site.logged()}`);
      const { ready, current } = site.status();
      const found = [site.revision(), ready, current, site.snapshot()?.expired ?? false, site.code()];
      assert.deepEqual(found, expected, `step ${i}: ${site.logged()}`);
    }
  });
}

test("that a bundle ends is told before, when it has ended, and who asks is told since when", async (t) => {
  const { server, first: site, bundle, time, begunSeconds } = await scene(t, undefined);
  server.offer(bundle("r1", 100));
  await site.load();
  const { active, warnings } = site.status();
  const expiresMillis = (begunSeconds + 100) * 1000;
  assert.equal(active?.revision?.expiresMillis, expiresMillis);
  assert.match(
    warnings.join(),
    /^the policy bundle `r1` expires at 2026-01-01T00:01:40\.000Z/,
    "a month of it is gone",
  );
  time.step(100_000);
  const { staleSinceMillis, degraded, warnings: then } = site.status();
  assert.deepEqual([staleSinceMillis, then], [expiresMillis, []]);
  const reason = "the policy bundle in force, `r1`, expired at 2026-01-01T00:01:40.000Z";
  assert.equal(degraded?.reason, reason);
  assert.deepEqual(sourceWarnings(site.status(), undefined), [reason]);
  assert.ok(site.logged().includes(reason), site.logged());
  assert.equal(server.asked.length, 1);
  await site.load();
  await site.load();
  assert.deepEqual(
    server.asked.map(({ status }) => status),
    [200, 304, 304],
    "what is expired is not sent again",
  );
  assert.equal(site.status().candidate?.message, "the policy bundle `r1` expired at 2026-01-01T00:01:40.000Z");
  server.offer(bundle("r2", 1e6));
  await site.load();
  assert.deepEqual([site.status().warnings, site.status().staleSinceMillis], [[], undefined]);
});
