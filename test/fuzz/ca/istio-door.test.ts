import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CertificateRequest } from "#ca/issuance/contract";
import { createCertificateMethod } from "#ca/transport/istio/create-certificate";
import { certificateRequest } from "#test/support/ca/agent-calls";
import { makeDoorCertificates } from "#test/support/ca/door-certificates";
import { openDoor } from "#test/support/ca/doors";
import { fakeIssued } from "#test/support/ca/fake-authority";
import { framed, rawCall, rawSession } from "#test/support/ca/raw-call";
import { mutateBytes } from "#test/support/mutate-bytes";
import { Random, testSeed } from "#test/support/random";

const long = process.env["GARITA_LONG"] === "1";
const whole = certificateRequest("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", 86_400, {
  CertSigner: "a",
  ImpersonatedIdentity: "spiffe://a/b",
});

test("whatever a message holds, it is refused or handed on as texts and a number", async () => {
  const random = new Random(testSeed("istio messages"));
  const seen = { refused: 0, handedOn: 0 };
  const asked: CertificateRequest[] = [];
  const method = createCertificateMethod(async (request) => {
    asked.push(request);
    return fakeIssued;
  });
  const connection = { clientCertificates: [], remoteAddress: "10.0.0.1", unixSocket: false };
  for (let i = 0; i < (long ? 500_000 : 20_000); i++) {
    const answer = await method({ message: mutateBytes(random, whole), headers: () => [], connection });
    if (answer.ok) seen.handedOn++;
    else {
      seen.refused++;
      assert.equal(answer.code, 3);
    }
  }
  assert.equal(asked.length, seen.handedOn);
  for (const { csrPem, ttlSeconds, certSigner, impersonatedIdentity } of asked.splice(0)) {
    assert.equal(typeof csrPem, "string");
    assert.ok(Number.isInteger(ttlSeconds));
    for (const name of [certSigner, impersonatedIdentity])
      assert.ok(name === undefined || (typeof name === "string" && name !== ""));
  }
  assert.ok(seen.refused > 100 && seen.handedOn > 100, JSON.stringify(seen));
});

test("whatever a body holds, its call is answered and its connection stays", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "garita-doors-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const made = makeDoorCertificates(folder);
  const { port } = await openDoor(t, "istio", { tls: made.server });
  const random = new Random(testSeed("grpc bodies"));
  const session = rawSession(port, { ca: made.root });
  t.after(() => session.destroy());
  const statuses = new Set<string | undefined>();
  for (let i = 0; i < (long ? 20_000 : 1_500); i++) {
    const { grpcStatus, reset } = await rawCall(session, mutateBytes(random, framed(whole)));
    assert.equal(reset, 0);
    statuses.add(grpcStatus);
  }
  assert.deepEqual([...statuses].sort(), ["0", "12", "3"]);
});
