import assert from "node:assert/strict";
import { test } from "node:test";
import { newCsr, openScene, operator, testScene, webId } from "#test/support/ca/scene";
import { makeOpenAuthority } from "#test/support/ca/scene-certificates";
import { issueIn } from "#test/support/ca/scene-requests";

const day = 24 * 3_600_000;

test("an authority that was away until its issuing certificate had ended makes another one when it comes back", async (t) => {
  const first = await openScene({ serverNames: ["localhost"] });
  const before = first.authority.authorities.current().issuing?.keyId;
  await first.close();
  const shiftMillis = 120 * day;
  const scene = await testScene(t, { folder: first.folder, serverNames: ["localhost"], shiftMillis });
  const { issuing } = scene.authority.authorities.current();
  assert.notEqual(issuing?.keyId, before);
  const { leaf } = await issueIn(scene, { csrPem: newCsr().csrPem, credentials: operator, spiffeId: webId });
  assert.ok(leaf.notAfter.millis > Date.now() + shiftMillis);
  assert.equal((await scene.authority.service.auditReport()).ok, true);
});

test("where it cannot, because the root's key is elsewhere, the start says so by a code", async (t) => {
  const imported = makeOpenAuthority().material;
  const first = await openScene({ imported, serverNames: ["localhost"] });
  await first.close();
  const later = { folder: first.folder, serverNames: ["localhost"], shiftMillis: 91 * day };
  await assert.rejects(testScene(t, later), {
    code: "ca-server/certificate",
    message: /authority\/expiring: 0 s are left/,
  });
});
