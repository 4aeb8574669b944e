import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "#cli/config/load";

const read = (bundle: string) =>
  readConfig(
    `listeners: [{ name: a, protocol: grpc, address: "127.0.0.1:1" }]\npolicies:\n  bundle: ${bundle}\n`,
    "/etc/garita/garita.yaml",
    {},
  );

test("policies as a bundle: defaults are filled in, and paths are read from the file's folder", async () => {
  const result = await read('{ url: "https://h/b", publicKeyFile: site.pub, folder: state }');
  assert.ok(result.ok && "bundle" in result.config.policies);
  assert.deepEqual(result.config.policies.bundle, {
    settings: {
      url: "https://h/b",
      publicKeyFile: "/etc/garita/site.pub",
      folder: "/etc/garita/state",
      name: undefined,
      tokenFile: undefined,
      caFile: undefined,
      pollMillis: 60_000,
      timeoutMillis: 60_000,
      maxBytes: 64 * 1024 ** 2,
      allowOlder: false,
    },
    staleness: undefined,
  });
  const more = await read(
    '{ url: "https://h/b", publicKeyFile: /k, folder: /s, name: shop, tokenFile: t, caFile: c, pollSeconds: 5, timeoutSeconds: 7, maxBytes: 2048, allowOlder: true, maxStaleSeconds: 600, onStale: deny }',
  );
  assert.ok(more.ok && "bundle" in more.config.policies);
  const { settings, staleness } = more.config.policies.bundle;
  assert.deepEqual(staleness, { maxStaleMillis: 600_000, reaction: "deny" });
  assert.deepEqual(
    [settings.name, settings.tokenFile, settings.caFile, settings.pollMillis, settings.timeoutMillis],
    ["shop", "/etc/garita/t", "/etc/garita/c", 5_000, 7_000],
  );
  assert.deepEqual([settings.maxBytes, settings.allowOlder], [2048, true]);
  const expiring = await read("{ url: https://h/b, publicKeyFile: k, folder: s, onStale: deny }");
  assert.ok(expiring.ok && "bundle" in expiring.config.policies);
  assert.deepEqual(
    expiring.config.policies.bundle.staleness,
    { maxStaleMillis: undefined, reaction: "deny" },
    "a bundle can expire",
  );
});

test("what cannot be fetched from, named or kept is refused at its place", async () => {
  for (const [bundle, message] of [
    ["{ url: http://h/b, publicKeyFile: k, folder: s }", /expected `https:\/\/` with a host/],
    ["{ url: https://me:secret@h/b, publicKeyFile: k, folder: s }", /credentials belong into `tokenFile`/],
    ['{ url: https://h/b, publicKeyFile: k, folder: s, name: "a\\tb" }', /no bundle can have this name/],
    ["{ url: https://h/b, publicKeyFile: k, folder: s, maxStaleSeconds: 100 }", /less than twice `pollSeconds`/],
    ["{ url: https://h/b, folder: s }", /publicKeyFile/],
  ] as const) {
    const result = await read(bundle);
    assert.ok(!result.ok, bundle);
    assert.equal(result.findings.length, 1, JSON.stringify(result.findings));
    assert.match(result.findings[0]!.message, message);
    assert.doesNotMatch(result.findings[0]!.message, /secret/);
    assert.equal(result.findings[0]?.line, 3);
  }
});
