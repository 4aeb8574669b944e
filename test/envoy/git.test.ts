import assert from "node:assert/strict";
import { test } from "node:test";
import { envoyUnder } from "#test/support/envoy/envoy-under";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { allowing, testRepository } from "#test/support/git/test-repository";

test("a push is what a real Envoy enforces, and its access log names the commit; a bad push changes nothing", async (t) => {
  const binary = await envoyOrSkip(t);
  if (binary === undefined) return;
  const repository = await testRepository(t);
  const first = await repository.commit({ "a.yaml": allowing("/one") });
  const { ask, sync } = await envoyUnder(t, binary, {
    git: { url: repository.url, folder: "state", pollSeconds: 3600 },
  });
  assert.deepEqual(
    [await ask("/one"), await ask("/two")],
    [
      [200, first],
      [403, first],
    ],
  );
  const second = await repository.commit({ "a.yaml": allowing("/two") });
  assert.equal((await sync()).status, 0);
  assert.deepEqual(
    [await ask("/one"), await ask("/two")],
    [
      [403, second],
      [200, second],
    ],
  );
  await repository.commit({ "a.yaml": "kind: [" });
  assert.equal((await sync()).status, 5);
  assert.deepEqual(
    [await ask("/one"), await ask("/two")],
    [
      [403, second],
      [200, second],
    ],
  );
  const same = await repository.commit({ "a.yaml": allowing("/two"), "README.md": "x" });
  assert.equal((await sync()).status, 0);
  assert.deepEqual(await ask("/two"), [200, same], "the same rules, and another commit");
});
