import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig } from "#cli/config/load";
import { cli } from "#test/support/cli/run-cli";

const folder = new URL("../../../examples/", import.meta.url);

for (const example of readdirSync(folder)) {
  test(`examples/${example} compiles without a warning, passes its tests, and its configuration is valid`, async () => {
    const policies = `examples/${example}/policies`;
    const checked = await cli(["check", policies, "--format", "json"]);
    const { diagnostics } = JSON.parse(checked.out) as { diagnostics: { severity: string }[] };
    assert.equal(checked.status, 0, checked.out);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity !== "note"),
      [],
    );
    const tested = await cli(["test", policies]);
    assert.equal(tested.status, 0, tested.out);
    assert.match(tested.out, /^[1-9]\d* passed, 0 failed\n$/);
    const loaded = await loadConfig(fileURLToPath(new URL(`${example}/garita.yaml`, folder)), {});
    assert.ok(loaded.ok, JSON.stringify(loaded));
  });
}
