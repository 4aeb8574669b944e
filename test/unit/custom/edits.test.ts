import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest, type RequestEdits } from "#authz/custom/edit-request";
import { editQuery } from "#authz/custom/query";
import { EditedRequest } from "#authz/engine/edited-request";

const received = (headers: Readonly<Record<string, readonly string[]>>, target = "/a?q=1&r=2&q=3") =>
  new EditedRequest({ target, lines: (name) => headers[name] ?? [] });

const edit = (
  edits: Partial<RequestEdits>,
  request = received({ ":authority": ["a"], "x-one": ["1"], "x-two": ["1", "2"], "x-e": [""] }),
) => editRequest(request, { set: [], append: [], remove: [], setQuery: [], removeQuery: [], ...edits });

const changed = (edits: Partial<RequestEdits>) => {
  const result = edit(edits);
  assert.ok(result.ok, JSON.stringify(result));
  return [...result.request.headerEdits()];
};

test("set, then append, then remove", () => {
  assert.deepEqual(
    changed({
      set: [
        ["X-One", "a"],
        ["x-one", "b"],
        ["x-two", "c"],
      ],
    }),
    [
      ["x-one", ["b"]],
      ["x-two", ["c"]],
    ],
  );
  assert.deepEqual(
    changed({
      append: [
        ["x-two", "c"],
        ["x-new", "d"],
        ["x-e", "e"],
        ["x-one", ""],
      ],
    }),
    [
      ["x-two", ["1,c", "2"]],
      ["x-e", ["e"]],
    ],
  );
  assert.deepEqual(changed({ set: [["cookie", "a=1"]], append: [["Cookie", "b=2"]] }), [["cookie", ["a=1; b=2"]]]);
  assert.deepEqual(changed({ set: [["x-n", "1"]], append: [["x-n", "2"]] }), [["x-n", ["1,2"]]]);
  assert.deepEqual(
    changed({ set: [["x-one", "b"]], remove: ["X-One", "host", ":authority", ":path", "", "no name"] }),
    [["x-one", []]],
  );
});

test("host is the authority; pseudo headers that a request does not have are passed over", () => {
  assert.deepEqual(
    changed({
      set: [
        ["Host", "b"],
        [":status", "1"],
        [":foo", "1"],
        [":method", "PUT"],
      ],
    }),
    [
      [":authority", ["b"]],
      [":method", ["PUT"]],
    ],
  );
  const target = (edits: Partial<RequestEdits>) => {
    const result = edit(edits);
    return result.ok && result.request.target;
  };
  assert.equal(target({ set: [[":path", "/b?z&a"]] }), "/b?z&a");
  assert.equal(target({ set: [[":path", "/b?z&a"]], setQuery: [["k", "v"]] }), "/b?a=&k=v&z=");
  assert.equal(target({ append: [[":path", "/b"]] }), "/a?q=1&r=2&q=3,/b");
});

test("what cannot be written to an upstream is a fault, and nothing of the received request changes", () => {
  const request = received({ "x-one": ["1"] });
  for (const edits of [
    { set: [["", "a"]] },
    { set: [["bad name", "a"]] },
    {
      set: [
        ["x-one", "2"],
        ["x-a", "a\r\nb: c"],
      ],
    },
    { append: [["x-one", "a\0"]] },
    { set: [[":path", "/a\n"]] },
    { setQuery: [["a b", "c"]] },
    { setQuery: [["a", "c\x7f"]] },
  ] satisfies Partial<RequestEdits>[]) {
    assert.equal(edit(edits, request).ok, false, JSON.stringify(edits));
    assert.equal(request.edited, false);
  }
});

test("a query is sorted by its names as soon as it is edited", () => {
  const rows: readonly (readonly [string, readonly (readonly [string, string])[], readonly string[], string])[] = [
    ["/a?q=1&r=2&q=3", [], [], "/a?q=1&r=2&q=3"],
    ["/a?q=1&r=2&q=3", [["q", "9"]], [], "/a?q=9&r=2"],
    ["/a?q=1&r=2&q=3", [], ["zz"], "/a?q=1&q=3&r=2"],
    ["/a?q=1&r=2&q=3", [], ["q", "r"], "/a"],
    ["/a?q=1&r=2&q=3", [["q", "9"]], ["q"], "/a?r=2"],
    [
      "/a?q=1",
      [
        ["", "v"],
        ["k", ""],
      ],
      [],
      "/a?=v&k=&q=1",
    ],
    ["/a?c&b=%41&a=%20&&=x&a+b=c+d&z", [], ["a"], "/a?=&=x&a+b=c+d&b=%41&c=&z="],
    ["/a?c&b=%41&%41=2&&=x&z=a=b", [["A", "1"]], [], "/a?=&=x&%41=2&A=1&b=%41&c=&z=a=b"],
    ["/a", [["k", "1"]], [], "/a?k=1"],
    ["/a?", [["k", "1"]], [], "/a?k=1"],
    ["/a?", [], ["k"], "/a"],
    ["/a?b&", [["k", "1"]], [], "/a?b=&k=1"],
    ["/a?x?y=1", [["k", "?"]], [], "/a?k=?&x?y=1"],
  ];
  for (const [target, set, remove, wanted] of rows) assert.equal(editQuery(target, set, remove), wanted);
});
