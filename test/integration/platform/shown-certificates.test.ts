import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { readShownCertificates } from "#platform/shown-certificates";
import { makeDoorCertificates } from "#test/support/ca/door-certificates";
import { openGrpcDoor } from "#test/support/grpc/open-door";
import { tempFolder } from "#test/support/service/temp-folder";

test("who only looks at a door's certificates ends the connection in order: the door warns of nobody", async (t) => {
  const { server } = makeDoorCertificates(await tempFolder(t));
  const { port, door, logged } = await openGrpcDoor(t, {}, { tls: server });
  for (let i = 0; i < 5; i++) {
    const shown = await readShownCertificates({ kind: "tcp", host: "127.0.0.1", port }, "localhost", 10_000);
    assert.deepEqual(Buffer.from(shown[0]!), new X509Certificate(server.cert).raw);
  }
  await door.stop(AbortSignal.timeout(5_000));
  assert.doesNotMatch(logged(), /no TLS with a client/);
});
