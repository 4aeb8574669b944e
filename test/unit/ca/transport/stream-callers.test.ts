import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createStreamCallers, type StreamCaller } from "#ca/transport/stream-callers";
import type { DoorConnection } from "#platform/door/connections";
import { grpcCodes } from "#platform/grpc/codes";
import { recordLog } from "#test/support/ca/record-log";
import { type Scene, testScene, webId } from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { enrolIn } from "#test/support/ca/scene-requests";
import type { StreamRefusal } from "#xds/contract";

const bare: DoorConnection = { clientCertificates: [], remoteAddress: "192.0.2.7", unixSocket: false };

async function callersOf(t: TestContext) {
  const scene = await testScene(t);
  const { log, lines } = recordLog();
  const { clientCertificate, revoked } = scene.authority;
  const nowMillis = () => Date.now() + scene.shiftMillis;
  return { scene, lines, callers: createStreamCallers({ clientCertificate, revoked, nowMillis, log }) };
}

async function callerIn(
  scene: Scene,
  authenticate: (connection: DoorConnection) => Promise<StreamCaller | StreamRefusal>,
) {
  const enrolled = await enrolIn(scene, webId);
  const caller = await authenticate({ ...bare, clientCertificates: enrolled.chain });
  assert.ok("id" in caller, JSON.stringify(caller));
  return { caller, enrolled };
}

test("a stream's caller is who the certificate of its connection proves", async (t) => {
  const { scene, callers } = await callersOf(t);
  const { caller, enrolled } = await callerIn(scene, callers.authenticate);
  assert.equal(caller.id.toString(), webId);
  assert.equal(caller.fingerprint, enrolled.record.fingerprint);
  assert.equal(caller.serialHex, enrolled.record.serialHex);
  assert.equal(caller.notAfterMillis, enrolled.answer.notAfterMillis);
  assert.deepEqual(caller.credentials, {
    clientCertificates: enrolled.chain,
    bearer: undefined,
    operatorSocket: false,
    remoteAddress: bare.remoteAddress,
  });
  assert.equal(callers.ended(caller), undefined);
});

test("nobody without a certificate, whatever the connection is, and none of another authority", async (t) => {
  const { callers, lines } = await callersOf(t);
  const foreign = makeOpenAuthority().chainOf(webId);
  for (const connection of [bare, { ...bare, unixSocket: true }, { ...bare, clientCertificates: foreign }]) {
    const refusal = await callers.authenticate(connection);
    assert.ok("code" in refusal);
    assert.equal(refusal.code, grpcCodes.unauthenticated);
  }
  assert.deepEqual(
    lines.map(({ message }) => message),
    ["stream refused", "stream refused", "stream refused"],
  );
  assert.match(String(lines[2]?.fields["reason"]), /anchor|signature|chain|issuer/);
});

test("a caller is none any more when its certificate has ended", async (t) => {
  const { scene, callers } = await callersOf(t);
  const { caller } = await callerIn(scene, callers.authenticate);
  scene.shiftMillis = caller.notAfterMillis - Date.now() - 5_000;
  assert.equal(callers.ended(caller), undefined);
  scene.shiftMillis += 5_001;
  assert.equal(callers.ended(caller)?.code, grpcCodes.unauthenticated);
});

for (const kind of ["serial", "identity"] as const) {
  test(`a caller is none any more when its ${kind} is revoked, and that is told at once`, async (t) => {
    const { scene, callers } = await callersOf(t);
    const { caller, enrolled } = await callerIn(scene, callers.authenticate);
    let told = 0;
    const stop = callers.subscribe(() => void told++);
    const target =
      kind === "serial" ? ({ kind, serialHex: caller.serialHex } as const) : ({ kind, spiffeId: webId } as const);
    await scene.authority.service.revoke(target, "lost", "test");
    assert.equal(told, 1);
    assert.equal(callers.ended(caller)?.code, grpcCodes.permissionDenied);
    const again = await callers.authenticate({ ...bare, clientCertificates: enrolled.chain });
    assert.ok("code" in again);
    assert.equal(again.code, grpcCodes.unauthenticated);
    stop();
    await scene.authority.service.revoke({ kind: "identity", spiffeId: `${webId}-2` }, "lost", "test");
    assert.equal(told, 1);
  });
}
