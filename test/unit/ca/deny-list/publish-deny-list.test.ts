import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerCertificate, ServerCertificateSource } from "#ca/authorities/server-certificate";
import { createDenyListResources } from "#ca/deny-list/deny-list-resources";
import { createDenyListPublisher, type DeniedMembers } from "#ca/deny-list/publish-deny-list";
import { verifyDenyList } from "#ca/deny-list/verify-deny-list";
import { writePem } from "#ca/x509/pem";
import { grpcCodes } from "#platform/grpc/codes";
import { makeSigner } from "#test/support/ca/deny-list-signer";
import { makeAuthority } from "#test/support/ca/make-certificate";
import { recordLog } from "#test/support/ca/record-log";
import { fingerprintOf } from "#test/support/deny-lists";
import { createFakeTime, settle } from "#test/support/keys/fake-time";

const root = makeAuthority({ kind: "P-256", profile: "root" });
const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
const minute = 60_000;
const day = 24 * 60 * minute;
const identity = (name: string) => `spiffe://cluster.local/ns/a/sa/${name}`;

function certificate(): ServerCertificate {
  const { privateKey, chainDer } = makeSigner(issuing);
  return {
    certPem: chainDer.map((der) => writePem("CERTIFICATE", der)).join(""),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    notAfterMillis: 0,
  };
}

function scene(options: { readonly failures?: number; readonly generation?: number } = {}) {
  const time = createFakeTime(Date.now());
  const { log, lines } = recordLog();
  let failures = options.failures ?? 0;
  let denied: DeniedMembers = { certificates: [], identities: [], revocations: 0 };
  const signer = { opened: 0, renewed: 0, closed: 0, onRenewed: (_certificate: ServerCertificate) => {} };
  const publisher = createDenyListPublisher({
    trustDomain: "cluster.local",
    generation: options.generation ?? 1,
    denied: () => denied,
    async openSigner(onRenewed): Promise<ServerCertificateSource> {
      await settle();
      if (failures-- > 0) throw new Error("nothing can be issued");
      signer.opened++;
      signer.onRenewed = onRenewed;
      onRenewed(certificate());
      return {
        current: certificate,
        async renew() {
          signer.renewed++;
          onRenewed(certificate());
        },
        close: () => void signer.closed++,
      };
    },
    clock: time,
    timers: time,
    nextTurn: setImmediate,
    log,
  });
  return {
    time,
    lines,
    signer,
    publisher,
    deny(next: Partial<DeniedMembers>) {
      denied = { ...denied, ...next, revocations: denied.revocations + 1 };
      publisher.changed();
    },
    verified() {
      const body = publisher.published()?.body;
      assert.ok(body, "nothing is published");
      const asOf = { nowMillis: time.nowMillis() };
      const answer = verifyDenyList(body, {
        trustDomain: "cluster.local",
        anchors: [root.certificate],
        heldSequence: undefined,
        asOf,
      });
      assert.ok(answer.ok, JSON.stringify(answer));
      return answer.list;
    },
  };
}

test("a list is signed when somebody asks for it first, and at each change after that", async () => {
  const { publisher, signer, deny, verified } = scene();
  deny({ identities: [identity("a")] });
  await settle();
  assert.equal(signer.opened, 0);
  let told = 0;
  publisher.subscribe(() => void told++);
  assert.equal(publisher.published(), undefined);
  assert.equal(publisher.published(), undefined);
  await settle();
  assert.deepEqual([signer.opened, told], [1, 1]);
  assert.deepEqual(verified(), publisher.list());
  const before = publisher.published()?.version;
  deny({ identities: [identity("a"), identity("b")] });
  deny({ identities: [identity("a"), identity("b"), identity("c")] });
  await settle();
  assert.equal(told, 2, "two revocations in one turn are one list");
  assert.deepEqual(verified().identities, ["a", "b", "c"].map(identity));
  assert.notEqual(publisher.published()?.version, before);
});

test("the sequence is raised by every revocation, and by a restore whatever the backup has forgotten", async () => {
  const { publisher, deny } = scene();
  const sequences = [publisher.list().sequence];
  for (const name of ["a", "b"]) {
    deny({ identities: [identity(name)] });
    await settle();
    sequences.push(publisher.list().sequence);
  }
  sequences.push(scene({ generation: 2 }).publisher.list().sequence);
  assert.deepEqual(sequences, [2 ** 32, 2 ** 32 + 1, 2 ** 32 + 2, 2 ** 33]);
});

test("a certificate leaves the list a day after its end, with the same sequence; an unknown end never comes", async () => {
  const { time, publisher, deny } = scene();
  const endsMillis = time.nowMillis() + 60 * minute;
  deny({
    certificates: [
      { fingerprint: fingerprintOf("a"), endsMillis },
      { fingerprint: fingerprintOf("b"), endsMillis: undefined },
    ],
  });
  await settle();
  const { sequence } = publisher.list();
  let told = 0;
  publisher.subscribe(() => void told++);
  await time.advance(60 * minute + day - minute);
  assert.deepEqual([publisher.list().certificates.length, told], [2, 0]);
  await time.advance(31 * minute);
  assert.deepEqual(
    publisher.list().certificates.map(({ fingerprint }) => fingerprint),
    [fingerprintOf("b")],
  );
  assert.deepEqual([publisher.list().sequence, told], [sequence, 1]);
});

test("a clock that is ahead by hours takes no certificate off the list that others have not seen ending", async () => {
  const { time, publisher, deny } = scene();
  deny({ certificates: [{ fingerprint: fingerprintOf("a"), endsMillis: time.nowMillis() + 40 * minute }] });
  await settle();
  time.jump(12 * 60 * minute);
  await time.advance(30 * minute);
  deny({});
  await settle();
  assert.equal(publisher.list().certificates.length, 1);
});

test("what a clock that was ahead has dropped comes back with the right one", async () => {
  const { time, publisher, deny } = scene();
  deny({ certificates: [{ fingerprint: fingerprintOf("a"), endsMillis: time.nowMillis() + 24 * 60 * minute }] });
  await settle();
  time.jump(48 * 60 * minute);
  await time.advance(30 * minute);
  assert.equal(publisher.list().certificates.length, 0);
  time.jump(-48 * 60 * minute);
  await time.advance(30 * minute);
  assert.equal(publisher.list().certificates.length, 1);
});

test("a signer that cannot be had is asked for again, and the log says why", async () => {
  const { time, publisher, lines, verified } = scene({ failures: 2 });
  assert.equal(publisher.published(), undefined);
  await time.advance(5_000);
  assert.equal(publisher.published(), undefined);
  await time.advance(5_000);
  assert.deepEqual(verified(), publisher.list());
  assert.equal(lines.filter(({ message }) => message === "the deny list cannot be signed").length, 2);
});

test("another signer signs the list anew, with the same sequence", async () => {
  const { publisher, signer, verified } = scene();
  publisher.published();
  await settle();
  const before = publisher.published();
  const { sequence } = verified();
  publisher.renewSigner();
  await settle();
  assert.equal(signer.renewed, 1);
  assert.notEqual(publisher.published()?.version, before?.version);
  assert.equal(verified().sequence, sequence);
});

test("after the end nothing is signed and nothing waits", async () => {
  const { time, publisher, signer, deny } = scene();
  publisher.published();
  publisher.close();
  await settle();
  assert.deepEqual([signer.closed, time.pending()], [1, 0]);
  const { sequence } = publisher.list();
  deny({ identities: [identity("a")] });
  await settle();
  assert.equal(publisher.list().sequence, sequence);
});

test("every caller that may have something sees the list under the name of its trust domain, alone", async () => {
  const { publisher } = scene();
  const refused = { code: grpcCodes.permissionDenied, message: "revoked" };
  let revoke = () => {};
  let refusal: typeof refused | undefined = refused;
  const type = createDenyListResources<string>(publisher, {
    ended: () => refusal,
    subscribe(changed) {
      revoke = changed;
      return () => undefined;
    },
  });
  assert.equal(type.typeUrl, "type.googleapis.com/garita.revocation.v1.DenyList");
  assert.deepEqual(type.open("a caller"), refused);
  refusal = undefined;
  const view = type.open("a caller");
  assert.ok("lookUp" in view);
  let told = 0;
  const stop = view.subscribe(() => void told++);
  assert.equal(view.lookUp("cluster.local"), undefined);
  await settle();
  assert.equal(told, 1);
  assert.equal(view.lookUp("cluster.local"), publisher.published());
  assert.equal(view.lookUp("other.local"), undefined);
  assert.deepEqual(view.wildcard(), ["cluster.local"]);
  assert.equal(view.ended(), undefined);
  refusal = refused;
  revoke();
  assert.deepEqual([view.ended(), told], [refused, 2]);
  stop();
  publisher.renewSigner();
  await settle();
  assert.equal(told, 2);
});
