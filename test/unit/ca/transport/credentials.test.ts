import assert from "node:assert/strict";
import { test } from "node:test";
import { readCredentials } from "#ca/transport/credentials";

const connection = {
  clientCertificates: [new Uint8Array([1])],
  remoteAddress: "10.0.0.1",
  unixSocket: false,
};

const connected = {
  clientCertificates: connection.clientCertificates,
  remoteAddress: "10.0.0.1",
  operatorSocket: false,
};

test("what a connection and a request bring is handed over as it is", () => {
  assert.deepEqual(readCredentials(connection, []), { ok: true, credentials: { ...connected, bearer: undefined } });
  for (const authorization of ["Bearer a.b-c_d~e+f/g==", "bearer a.b-c_d~e+f/g==", "BEARER   a.b-c_d~e+f/g=="]) {
    const read = readCredentials(connection, [authorization]);
    assert.deepEqual(read, { ok: true, credentials: { ...connected, bearer: "a.b-c_d~e+f/g==" } });
  }
  const longest = "a".repeat(16 * 1024 - "Bearer ".length);
  assert.equal(readCredentials(connection, [`Bearer ${longest}`]).ok, true);
});

const refused: readonly (readonly [title: string, authorizations: readonly string[]])[] = [
  ["two tokens", ["Bearer secret", "Bearer other"]],
  ["the same token twice", ["Bearer secret", "Bearer secret"]],
  ["two tokens in one field", ["Bearer secret, Bearer other"]],
  ["another scheme", ["Basic secret"]],
  ["no token", ["Bearer "]],
  ["nothing", [""]],
  ["a blank inside", ["Bearer secret secret"]],
  ["a line break", ["Bearer secret\n"]],
  ["a padding inside", ["Bearer sec=ret"]],
  ["a token of 17 KiB", [`Bearer ${"secret".repeat(3000)}`]],
];

for (const [title, authorizations] of refused) {
  test(`${title} is refused, and nothing of it told`, () => {
    const read = readCredentials(connection, authorizations);
    assert.ok(!read.ok);
    assert.equal(read.code, "ca-door/authorization");
    assert.doesNotMatch(read.message, /secret/);
  });
}
