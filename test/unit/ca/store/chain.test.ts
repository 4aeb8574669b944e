import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOfEntry, canonicalEntry, canonicalJson, hashEntry, headBytes, noPrevious } from "#ca/store/chain";
import type { AuditEntry } from "#ca/store/contract";

test("canonical JSON sorts members, has no blanks and leaves out what is undefined", () => {
  const table: readonly (readonly [Parameters<typeof canonicalJson>[0], string])[] = [
    [{}, "{}"],
    [{ b: 1, a: "x", c: undefined }, '{"a":"x","b":1}'],
    [{ z: { y: [], x: [1, "2", true] } }, '{"z":{"x":[1,"2",true],"y":[]}}'],
    [{ é: 1, e: 2, E: 3, "10": 4, "9": 5 }, '{"10":4,"9":5,"E":3,"e":2,"é":1}'],
    ['"\\\n\u0000\u2028ä', '"\\"\\\\\\n\\u0000\u2028ä"'],
    ["\ud800", '"\\ud800"'],
    [1e21, "1e+21"],
    [-0, "0"],
    [1764000000000, "1764000000000"],
  ];
  for (const [value, text] of table) assert.equal(canonicalJson(value), text);
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => canonicalJson(number), RangeError);
});

test("an entry is one text, whatever order its body was put together in", () => {
  const content = { number: 1, atMillis: 5, kind: "opened", previous: noPrevious } as const;
  const text = `{"at":5,"body":{"a":1,"b":["x"]},"kind":"opened","number":1,"previous":"${noPrevious}"}`;
  assert.equal(canonicalEntry({ ...content, body: { b: ["x"], a: 1 } }), text);
  assert.equal(canonicalEntry({ ...content, body: { a: 1, b: ["x"], c: undefined } }), text);
  // As sha256sum says of the text.
  assert.equal(hashEntry(text), "870b404c4ec3dd8acbc916ff7956e780657ba421f52f66de4384811d61185f8e");
});

test("an entry whose text says another thing than its members, or says it otherwise, has no body", () => {
  const content = { number: 7, atMillis: 5, kind: "opened", previous: noPrevious } as const;
  const canonical = canonicalEntry({ ...content, body: { a: 1 } });
  const entry: AuditEntry = { ...content, canonical, hash: hashEntry(canonical) };
  assert.deepEqual(bodyOfEntry(entry), { a: 1 });
  const broken: readonly Partial<AuditEntry>[] = [
    { number: 8 },
    { atMillis: 6 },
    { kind: "restored" },
    { previous: "1".repeat(64) },
    { canonical: canonical.replace(":", ": ") },
    { canonical: canonical.replace('"a":1', '"a":1,"a":1') },
    { canonical: canonical.slice(1) },
    { canonical: "null" },
    { canonical: '{"body":null}' },
  ];
  for (const but of broken) assert.equal(bodyOfEntry({ ...entry, ...but }), undefined, JSON.stringify(but));
});

test("a head's bytes hold all that it states", () => {
  const head = { number: 3, hash: "ab", atMillis: 4, generation: 2, auditKeyId: "k" };
  const text = new TextDecoder().decode(headBytes(head));
  assert.equal(text, 'garita audit head 1\n{"at":4,"auditKeyId":"k","generation":2,"hash":"ab","number":3}');
  for (const name of Object.keys(head) as (keyof typeof head)[]) {
    const other = { ...head, [name]: typeof head[name] === "number" ? 99 : "other" };
    assert.notDeepEqual(headBytes(other), headBytes(head), name);
  }
});
