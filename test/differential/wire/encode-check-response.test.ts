import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary, type MessageShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { answerFault, isClientStatus, MAX_ANSWER_LENGTH } from "#authz/check/wire/answer-fault";
import type { CheckAnswer, HeaderEdit } from "#authz/check/wire/check-answer";
import { encodeCheckResponse } from "#authz/check/wire/encode-check-response";
import { HeaderValueOption_HeaderAppendAction as Action } from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import { CheckResponseSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { testSeed } from "#test/support/random";

const seed = testSeed("lean encoder against protobuf-es");

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const goodName = fc.oneof(token, fc.constantFrom(":path", "x-user", "set-cookie"));
const goodValue = fc
  .array(
    fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.constantFrom(0x09, 0x80, 0xff), fc.constantFrom(0xc3, 0xa9)),
    {
      maxLength: 80,
    },
  )
  .map((bytes) => String.fromCharCode(...bytes));
const badName = fc.constantFrom("", "a b", "a:", "ü", "a\n", ":status", "a\0");
const badValue = fc.constantFrom("a\r\nb: c", "a\nb", "\0", "\u010a", "😀");

const edits = (names: fc.Arbitrary<string>, values: fc.Arbitrary<string>): fc.Arbitrary<HeaderEdit[]> =>
  fc.array(
    fc
      .record({ name: names, value: values, add: fc.boolean() })
      .map(({ add, ...edit }) => (add ? { ...edit, add } : edit)),
    { maxLength: 5 },
  );

const answers = (names: fc.Arbitrary<string>, values: fc.Arbitrary<string>): fc.Arbitrary<CheckAnswer> =>
  fc.record({
    allowed: fc.boolean(),
    code: fc.oneof(fc.integer({ min: 1, max: 16 }), fc.constantFrom(0, -1, 17, 2 ** 40, Number.NaN)),
    httpStatus: fc.oneof(fc.constantFrom(200, 302, 401, 403, 503), fc.nat(1000), fc.constantFrom(-1, Number.NaN)),
    body: fc.string({ unit: "binary", maxLength: 40 }),
    clientHeaders: edits(names, values),
    setHeaders: edits(names, values),
    removeHeaders: fc.array(names, { maxLength: 3 }),
    responseHeaders: edits(names, values),
    metadata: fc.array(
      fc.tuple(fc.string({ unit: "grapheme", maxLength: 8 }), fc.string({ unit: "binary", maxLength: 200 })),
      {
        maxLength: 4,
      },
    ),
  });

const decoded = (answer: CheckAnswer) => fromBinary(CheckResponseSchema, encodeCheckResponse(answer));

/** A header value as it leaves: its bytes if they are UTF-8, else percent-encoded beyond ASCII. */
function sent(value: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return [...Buffer.from(value, "latin1")]
      .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`))
      .join("");
  }
}

type Options = NonNullable<
  Extract<MessageShape<typeof CheckResponseSchema>["httpResponse"], { case: "okResponse" }>["value"]["headers"]
>;

function assertEdits(options: Options, wanted: readonly HeaderEdit[], isAppended: (edit: HeaderEdit) => boolean): void {
  assert.deepEqual(
    options.map((option) => [
      option.header?.key,
      option.header?.value,
      option.append,
      option.appendAction,
      option.keepEmptyValue,
    ]),
    wanted.map((edit) => [
      edit.name,
      sent(edit.value),
      isAppended(edit),
      isAppended(edit) ? Action.APPEND_IF_EXISTS_OR_ADD : Action.OVERWRITE_IF_EXISTS_OR_ADD,
      true,
    ]),
  );
}

test("protobuf-es reads what the answer says", () => {
  fc.assert(
    fc.property(answers(goodName, goodValue), (answer) => {
      const removed = new Set(answer.removeHeaders.map((name) => name.toLowerCase()));
      const clear = { ...answer, setHeaders: answer.setHeaders.filter(({ name }) => !removed.has(name.toLowerCase())) };
      assert.equal(answerFault(clear), undefined);
      const response = decoded(clear);
      const metadata = Object.fromEntries(clear.metadata.map(([key, value]) => [key, value.toWellFormed()]));
      if (clear.metadata.length === 0) assert.equal(response.dynamicMetadata, undefined);
      else assert.deepEqual(Object.entries(response.dynamicMetadata!).sort(), Object.entries(metadata).sort());
      assert.ok(response.status, "no status");
      if (clear.allowed) {
        assert.equal(response.status.code, 0);
        assert.ok(response.httpResponse.case === "okResponse");
        const ok = response.httpResponse.value;
        assertEdits(ok.headers, clear.setHeaders, ({ add }) => add === true);
        const several = new Set(clear.responseHeaders.filter(({ add }) => add).map(({ name }) => name.toLowerCase()));
        assertEdits(ok.responseHeadersToAdd, clear.responseHeaders, ({ name }) => several.has(name.toLowerCase()));
        assert.deepEqual(ok.headersToRemove, clear.removeHeaders);
      } else {
        const code = Number.isInteger(clear.code) && clear.code >= 1 && clear.code <= 16 ? clear.code : 7;
        assert.equal(response.status.code, code);
        assert.ok(response.httpResponse.case === "deniedResponse");
        const denied = response.httpResponse.value;
        assert.equal(denied.status?.code, isClientStatus(clear.httpStatus) ? clear.httpStatus : 403);
        assert.equal(denied.body, clear.body.toWellFormed());
        assertEdits(denied.headers, clear.clientHeaders, () => false);
      }
    }),
    { seed, numRuns: 2000 },
  );
});

test("an answer with a fault is a denial that says nothing", () => {
  let faults = 0;
  fc.assert(
    fc.property(answers(fc.oneof(goodName, badName), fc.oneof(goodValue, badValue)), (answer) => {
      const response = decoded(answer);
      if (!answer.allowed) assert.notEqual(response.status?.code, 0);
      if (answerFault(answer) === undefined) return;
      faults++;
      assert.notEqual(response.status?.code, 0);
      assert.equal(response.dynamicMetadata, undefined);
      assert.ok(response.httpResponse.case === "deniedResponse");
      const { status, headers, body } = response.httpResponse.value;
      assert.deepEqual([headers, body], [[], ""]);
      if (answer.allowed) assert.equal(status?.code, 403);
    }),
    { seed, numRuns: 1000 },
  );
  assert.ok(faults > 100);
});

const allow: CheckAnswer = {
  allowed: true,
  code: 0,
  httpStatus: 200,
  body: "",
  clientHeaders: [],
  setHeaders: [],
  removeHeaders: [],
  responseHeaders: [],
  metadata: [],
};

test("faults", () => {
  const setValue = (value: string): CheckAnswer => ({ ...allow, setHeaders: [{ name: "x-a", value }] });
  assert.equal(answerFault(setValue("x".repeat(MAX_ANSWER_LENGTH - 3))), undefined);
  assert.match(answerFault(setValue("x".repeat(MAX_ANSWER_LENGTH)))!, /longer than/);
  assert.match(answerFault(setValue("a\nb"))!, /x-a holds a line break/);
  assert.match(answerFault({ ...setValue("a"), removeHeaders: ["X-A"] })!, /set and to be removed/);
  assert.match(answerFault({ ...allow, removeHeaders: ["a b"] })!, /to remove has a name/);
  assert.match(answerFault({ ...allow, metadata: [["k", "v".repeat(MAX_ANSWER_LENGTH)]] })!, /longer than/);
});

test("the code of an allowing answer is on the wire", () => {
  assert.equal(Buffer.from(encodeCheckResponse(allow)).toString("hex"), "0a020800" + "1a00");
});

test("an answer larger than the usual buffer, and a small one after it", () => {
  const big = { ...allow, allowed: false, code: 7, httpStatus: 403, body: "é".repeat(100_000) };
  const response = decoded(big);
  assert.ok(response.httpResponse.case === "deniedResponse");
  assert.equal(response.httpResponse.value.body, big.body);
  assert.equal(decoded(allow).status?.code, 0);
});

test("a defect in one answer leaves nothing in the next", () => {
  const broken = { ...allow, metadata: [["k", undefined]] } as unknown as CheckAnswer;
  assert.throws(() => encodeCheckResponse(broken));
  assert.equal(Buffer.from(encodeCheckResponse(allow)).toString("hex"), "0a020800" + "1a00");
});

test("a status is any of sixteen bits but 0", () => {
  const status = (httpStatus: number) => {
    const response = decoded({ ...allow, allowed: false, code: 7, httpStatus });
    return response.httpResponse.case === "deniedResponse" && response.httpResponse.value.status?.code;
  };
  for (const kept of [1, 99, 200, 418, 499, 1000, 65535]) assert.equal(status(kept), kept);
  for (const odd of [0, -1, 65536, 403.5, Number.NaN]) assert.equal(status(odd), 403);
});

test("a response header that waits for the upstream's answer has an action and no append", () => {
  const { httpResponse } = decoded({
    ...allow,
    responseHeaders: [
      { name: "x-a", value: "1", onlyIf: "absent" },
      { name: "x-b", value: "", onlyIf: "present" },
      { name: "x-c", value: "1" },
    ],
  });
  assert.ok(httpResponse.case === "okResponse");
  assert.deepEqual(
    httpResponse.value.responseHeadersToAdd.map(({ header, append, appendAction, keepEmptyValue }) => [
      header?.key,
      append,
      appendAction,
      keepEmptyValue,
    ]),
    [
      ["x-a", undefined, 1, true],
      ["x-b", undefined, 3, true],
      ["x-c", false, 2, true],
    ],
  );
});
