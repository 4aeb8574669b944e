import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { testSeed } from "#test/support/random";
import { ModelClient } from "#test/support/xds/model-client";
import { adsPath, deltaAdsPath, deltaSecretPath, scriptDiscovery, secretPath } from "#test/support/xds/scripted-stream";
import { createShelf } from "#test/support/xds/shelf";

const numRuns = process.env["GARITA_LONG"] === undefined ? 1_000 : 50_000;

const name = fc.constantFrom("a", "b", "c");
/** Fewer than a stream remembers of those that it rejected. */
const version = fc.constantFrom("1", "2", "3", "4", "5");
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("put" as const), name, version }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), name }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("add" as const), name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), name }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("look" as const), rejects: fc.constantFrom(false, false, true) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("turn" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("stopReading" as const, "drain" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("reconnect" as const, "babble" as const) }) },
);

for (const path of [secretPath, adsPath, deltaSecretPath, deltaAdsPath]) {
  test(`${path.split("/").at(-1)}: whoever follows the protocol ends with the newest that it did not reject, and is sent nothing that it did`, () => {
    const seed = testSeed("model clients");
    const seen = { accepted: 0, rejected: 0 };
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 80 }), (operations) => {
        const shelf = createShelf({ a: "1", b: "1" });
        const scripted = scriptDiscovery({ types: [shelf] });
        const client = new ModelClient(scripted, path);
        client.add("a");
        for (const each of operations) {
          if (each.kind === "put") shelf.put(each.name, each.version);
          else if (each.kind === "remove") shelf.remove(each.name);
          else if (each.kind === "add") client.add(each.name);
          else if (each.kind === "drop") client.drop(each.name);
          else if (each.kind === "look") client.look(each.rejects);
          else if (each.kind === "turn") scripted.turn();
          else client[each.kind]();
        }
        client.drain();
        for (let quiet = 0; quiet < 2; ) {
          scripted.turn();
          quiet = client.look(false) ? 0 : quiet + 1;
        }
        client.check((each) => shelf.resource(each)?.version);
        for (const event of shelf.events) seen[event.startsWith("rejected") ? "rejected" : "accepted"]++;
        assert.deepEqual(scripted.lines, []);
      }),
      { seed, numRuns },
    );
    assert.ok(seen.accepted > numRuns / 2 && seen.rejected > numRuns / 5, JSON.stringify(seen));
  });
}
