import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareDocuments } from "#policy-compiler/compare/compare-documents";
import { type GroupNode, group, items, keyOf, leavesOf, texts } from "#policy-compiler/compare/field-tree";
import { matchItems, type Pair } from "#policy-compiler/compare/match-items";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { testSeed } from "#test/support/random";

const seed = testSeed("matched items");

const some = (...words: string[]) => fc.subarray(words, { minLength: 0 });
const rule: fc.Arbitrary<GroupNode> = fc
  .record({
    paths: some("/a", "/b", "/c", "/d"),
    methods: some("GET", "PUT"),
    from: fc.array(some("x", "y", "z"), { maxLength: 2 }),
  })
  .map(({ paths, methods, from }) =>
    group({
      paths: texts(paths),
      methods: texts(methods),
      from: items(from.map((principals) => group({ principals: texts(principals) }))),
    }),
  );
const rules = fc.array(rule, { maxLength: 8 });
/** A list, and one that has much of it. */
const lists = fc
  .tuple(rules, rules, fc.infiniteStream(fc.nat()))
  .map(([before, fresh, draws]) => {
    const drawn = (below: number) => draws.next().value! % below;
    const kept = before.filter(() => drawn(3) > 0);
    return [
      before,
      [...kept, ...fresh].map((each) => [drawn(100), each] as const).toSorted(([a], [b]) => a - b),
    ] as const;
  })
  .map(([before, after]) => [before, after.map(([, each]) => each)] as const);

const likeness = (a: GroupNode, b: GroupNode) => {
  const [mine, yours] = [leavesOf(a), leavesOf(b)];
  const all = new Set([...mine, ...yours]).size;
  return (mine.size + yours.size - all) / all;
};

/** As it is promised, one pair after the other, without a thought of what it costs. */
function plainly(before: readonly GroupNode[], after: readonly GroupNode[], isUnbounded = true): readonly Pair[] {
  const pairs: Pair[] = [];
  const left = { before: new Set(before.keys()), after: new Set(after.keys()) };
  const take = (from: number, to: number, equal: boolean) => {
    pairs.push({ before: from, after: to, equal });
    left.before.delete(from);
    left.after.delete(to);
  };
  for (const to of after.keys()) {
    const from = [...left.before].find((each) => keyOf(before[each]!) === keyOf(after[to]!));
    if (from !== undefined) take(from, to, true);
  }
  for (let best: readonly number[] | undefined; isUnbounded; ) {
    const all = [...left.before].flatMap((from) =>
      [...left.after].map((to) => [-likeness(before[from]!, after[to]!), Math.abs(from - to), from, to]),
    );
    [best] = all.filter(([alike]) => alike! <= -0.5).toSorted(compareNumbers);
    if (best === undefined) break;
    take(best[2]!, best[3]!, false);
  }
  for (const from of left.before) pairs.push({ before: from, after: undefined });
  for (const to of left.after) pairs.push({ before: undefined, after: to });
  return pairs;
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((number, at) => number !== b[at]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}

const told = (pairs: readonly Pair[]) => pairs.map((pair) => JSON.stringify(pair)).toSorted();

test("items are matched as the plain walk over all pairs matches them", () => {
  const seen = { equal: 0, changed: 0, alone: 0 };
  fc.assert(
    fc.property(lists, ([before, after]) => {
      const pairs = matchItems(before, after);
      assert.deepEqual(told(pairs), told(plainly(before, after)));
      assert.deepEqual(
        told(pairs),
        told(matchItems(before, after, Number.POSITIVE_INFINITY)),
        "below the bound it is none",
      );
      for (const pair of pairs) seen[!("equal" in pair) ? "alone" : pair.equal ? "equal" : "changed"]++;
      const places = pairs.map((pair) => pair.after ?? pair.before);
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
        "by place",
      );
    }),
    { seed, numRuns: 2_000 },
  );
  assert.ok(Math.min(...Object.values(seen)) > 500, JSON.stringify(seen));
});

test("beyond the bound equal items are the same ones still, and every other is told once, as removed or added", () => {
  const seen = { within: 0, beyond: 0 };
  fc.assert(
    fc.property(lists, fc.nat({ max: 400 }), ([before, after], most) => {
      const apart = plainly(before, after, false);
      const gone = apart.flatMap((pair) => (pair.after === undefined ? [leavesOf(before[pair.before]!).size] : []));
      const come = apart.filter((pair) => pair.before === undefined).length;
      const isBeyond = gone.reduce((sum, leaves) => sum + leaves, 0) * come > most;
      seen[isBeyond ? "beyond" : "within"]++;
      assert.deepEqual(told(matchItems(before, after, most)), told(isBeyond ? apart : plainly(before, after)));
    }),
    { seed, numRuns: 2_000 },
  );
  assert.ok(Math.min(...Object.values(seen)) > 200, JSON.stringify(seen));
});

test("the bound itself: 800 rules that each changed a little are told as changed, 1,000 as removed and added", () => {
  for (const [count, isBeyond] of [
    [800, false],
    [1_000, true],
  ] as const) {
    const all = (version: string) =>
      Array.from({ length: count }, (_, i) => group({ paths: texts([`/${i}`, `/${i}/*`]), methods: texts([version]) }));
    const [before, after] = [all("GET"), all("PUT")];
    const pairs = matchItems(before, after);
    const changed = Array.from({ length: count }, (_, i) => ({ before: i, after: i, equal: false }));
    const apart = changed.flatMap(({ before: i }) => [
      { before: i, after: undefined },
      { before: undefined, after: i },
    ]);
    assert.deepEqual(told(pairs), told(isBeyond ? apart : changed));
    if (isBeyond) assert.deepEqual(told(matchItems(before, after, Number.POSITIVE_INFINITY)), told(changed));
  }
});

test("a policy beyond the bound: no rule is left unsaid, and none is said to be wider or narrower than another", () => {
  const folder = (method: string) => {
    const rulesOf = Array.from({ length: 900 }, (_, i) => ({
      to: [{ operation: { paths: [`/${i}`], methods: [method] } }],
    }));
    const metadata = { name: "p", namespace: "shop" };
    const policy = {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata,
      spec: { rules: rulesOf },
    };
    return decodeDocuments([{ path: "p.json", bytes: new TextEncoder().encode(JSON.stringify(policy)) }], {});
  };
  const [change, ...others] = compareDocuments(folder("GET"), folder("PUT"));
  const said = change!.rules.map(({ kind, before, after, consequence }) =>
    [kind, (after ?? before)!.ordinal, consequence?.direction].join(" "),
  );
  const expected = Array.from({ length: 900 }, (_, i) => [`removed ${i} closes`, `added ${i} opens`]);
  assert.deepEqual([others, said.toSorted()], [[], expected.flat().toSorted()]);
});
