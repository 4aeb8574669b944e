import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { test } from "node:test";
import { messageOf } from "#platform/coded-error";

test("the message of anything that was thrown is one line", () => {
  assert.equal(messageOf(new Error(" a\r\n  b ")), "a b");
  assert.equal(messageOf("text"), "text");
  for (const odd of [undefined, null, 7]) assert.equal(messageOf(odd), String(odd));
});

test("of a fault of OpenSSL there is the reason, and nothing of OpenSSL's source", () => {
  let thrown: unknown;
  try {
    createPrivateKey({ key: Buffer.from([0x30, 0x00]), format: "der", type: "pkcs8" });
  } catch (fault) {
    thrown = fault;
  }
  assert.match(String(Reflect.get(Object(thrown), "message")), /^error:/);
  assert.match(messageOf(thrown), /^[a-z ]+$/i);
});
