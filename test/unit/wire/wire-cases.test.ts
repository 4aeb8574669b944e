import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { assertMeant, messageFile, wireCases } from "#test/support/wire/wire-case";

test("there are messages of a real Envoy", () => assert.ok(wireCases().length >= 10));

for (const meant of wireCases()) {
  test(`${meant.name}: ${meant.sent}`, () => {
    assert.ok(
      existsSync(messageFile(meant.name)),
      "no message: run the tests with a real Envoy with KEEP_WIRE_CASES=1",
    );
    const decoded = decodeCheckRequest(readFileSync(messageFile(meant.name)));
    assert.ok(decoded.ok, decoded.ok ? "" : decoded.fault);
    assertMeant(decoded.request, meant, (pem) => new X509Certificate(pem).subjectAltName ?? "");
  });
}
