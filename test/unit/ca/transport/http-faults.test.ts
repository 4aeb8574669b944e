import assert from "node:assert/strict";
import { test } from "node:test";
import { faultOf } from "#ca/transport/http/faults";
import { CodedError } from "#platform/coded-error";

test("a failed operation of the authority is told with its code, of others nothing", () => {
  for (const [code, status] of [
    ["ca-store/full", 503],
    ["ca-store/unknown", 404],
    ["ca-store/exists", 409],
    ["ca-store/backup-failed", 500],
    ["ca-token/identity", 400],
    ["ca-authority/root-expiring", 409],
    ["ca-authority/self-test", 500],
    ["ca-key/wrong-encryption-key", 409],
  ] as const) {
    const fault = new CodedError(code, "what is wrong", { cause: new Error("the secret cause") });
    assert.deepEqual(faultOf(fault), { status, body: { code, message: "what is wrong" } });
  }
  const failed = { status: 500, body: { code: "admin/failed", message: "the request failed" } };
  for (const fault of [new Error("secret"), new CodedError("tls/unusable", "secret"), new RangeError("secret")])
    assert.deepEqual(faultOf(fault), failed);
});

test("what the parser says of a request is not told, what the validator says is", () => {
  const error = (statusCode: number, more: object = {}) =>
    Object.assign(new Error("quoted secret"), { statusCode, ...more });
  for (const statusCode of [400, 413, 415, 417]) {
    const { status, body } = faultOf(error(statusCode));
    assert.equal(status, statusCode);
    assert.equal(body.code, "admin/request");
    assert.doesNotMatch(body.message, /secret/);
  }
  assert.equal(
    faultOf(error(400, { validation: [], message: "body/csr must be string" })).body.message,
    "body/csr must be string",
  );
  assert.equal(faultOf(error(404)).body.code, "admin/not-found");
  assert.equal(faultOf(error(500)).body.code, "admin/failed");
});
