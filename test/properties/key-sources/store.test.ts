import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { KeySource } from "#identity/key-set/key-source";
import type { KeyState } from "#identity/key-sources/contract";
import { createKeySetStore } from "#identity/key-sources/key-set-store";
import { createFakeIssuers, documentOf, down } from "#test/support/keys/fake-issuers";
import { createFakeTime, settle } from "#test/support/keys/fake-time";

const seed = Number(process.env["GARITA_SEED"] ?? Date.now() % 2 ** 31);
const numRuns = process.env["GARITA_LONG"] === "1" ? 2_000 : 60;
console.log(`seed ${seed}`);

const uri = "https://issuer.example/keys";
const source: KeySource = { kind: "uri", id: "a", uri, timeoutMillis: 5_000 };
const settings = { refreshMillis: 60_000, maxStaleMillis: 600_000 };

type Step =
  | { readonly do: "advance"; readonly millis: number }
  | { readonly do: "miss"; readonly kid: string; readonly times: number }
  | { readonly do: "answer"; readonly kids: readonly string[]; readonly slowMillis: number }
  | { readonly do: "break"; readonly how: "down" | "empty" | "silent" }
  | { readonly do: "jump"; readonly millis: number }
  | { readonly do: "refresh" | "follow" | "leave" };

const kid = fc.constantFrom("1", "2", "3", "nobody");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("advance" as const), millis: fc.integer({ min: 0, max: 300_000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("miss" as const), kid, times: fc.integer({ min: 1, max: 500 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("answer" as const),
      kids: fc.uniqueArray(fc.constantFrom("1", "2", "3"), { minLength: 1 }),
      slowMillis: fc.constantFrom(0, 0, 400, 4_999),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("break" as const), how: fc.constantFrom("down", "empty", "silent") }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("jump" as const),
      millis: fc.integer({ min: -86_400_000, max: 86_400_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("refresh", "follow", "leave") }) },
) as fc.Arbitrary<Step>;

test("whatever issuers, tokens and policies do: the newest good keys, not too old, and not asked for too often", async () => {
  const run = fc.asyncProperty(
    fc.array(step, { maxLength: 40 }),
    fc.double({ min: 0, max: 0.99, noNaN: true }),
    async (steps, chance) => {
      const time = createFakeTime();
      const issuers = createFakeIssuers();
      /** The newest good document that was given, and when. */
      let given: { readonly text: string; readonly atMillis: number } | undefined;
      const later = (millis: number) => new Promise<void>((resolve) => void time.after(millis, resolve));
      const put = (how: Step) => {
        issuers.put(uri, async () => {
          if (how.do === "answer") {
            await later(how.slowMillis);
            const text = documentOf(...how.kids);
            given = { text, atMillis: time.monotonicMillis() };
            return { ok: true, text };
          }
          if (how.do === "break" && how.how === "silent") await later(5_000);
          return how.do === "break" && how.how === "empty" ? { ok: true, text: "{}" } : down;
        });
      };
      const store = createKeySetStore({
        fetchDocument: issuers.fetchDocument,
        clock: time,
        timers: time,
        random: () => chance,
        settings: () => settings,
      });
      const versions = new Map<number, string>();
      const pins: { readonly sets: ReturnType<typeof store.current>; readonly state: KeyState }[] = [];
      let asked = 0;
      let follows = true;
      void store.follow([source], 1_000);
      for (const each of steps) {
        if (each.do === "advance") await time.advance(each.millis);
        else if (each.do === "jump") time.jump(each.millis);
        else if (each.do === "miss")
          for (let i = 0; i < each.times; i++) store.missed("a", each.kid === "nobody" ? `${i}` : each.kid);
        else if (each.do === "refresh") {
          asked++;
          void store.refresh();
        } else if (each.do === "follow" || each.do === "leave") {
          asked++;
          follows = each.do === "follow";
          void store.follow(follows ? [source] : [], 1_000);
        } else put(each);
        await settle();

        const state = store.current().of("a");
        assert.ok(issuers.mostParallelOf(uri) <= 1, "one fetch at a time");
        assert.ok(time.pending() <= 12, `${time.pending()} timers`);
        if (state.kind === "keys") {
          const text = documentOf(...state.keys.keys.map((key) => key.kid));
          assert.ok(given !== undefined);
          const ageMillis = time.monotonicMillis() - given.atMillis;
          assert.ok(ageMillis < settings.maxStaleMillis, `keys of ${ageMillis} ms ago`);
          assert.equal(text, given.text, "the newest good document");
          assert.equal(versions.get(state.keys.version) ?? text, text, "one version, one set");
          versions.set(state.keys.version, text);
        } else if (follows && given !== undefined) {
          assert.ok(
            time.monotonicMillis() - given.atMillis >= settings.maxStaleMillis,
            "good keys are not dropped early",
          );
        }
        for (const pin of pins) assert.equal(pin.sets.of("a"), pin.state, "what was pinned stays");
        pins.push({ sets: store.current(), state });
      }
      // A failing issuer is asked once a second at most, an answering one every ten seconds at most, beyond what was asked for by name.
      const most = 2 + asked + time.monotonicMillis() / 1_000;
      assert.ok(issuers.asked.length <= most, `${issuers.asked.length} fetches, at most ${most} expected`);
      await store.stop();
    },
  );
  await fc.assert(run, { seed, numRuns });
});
