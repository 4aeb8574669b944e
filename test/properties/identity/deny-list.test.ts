import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeDenyList } from "#identity/deny-list/decode-deny-list";
import { DenyList } from "#identity/deny-list/deny-list";
import { encodeDenyList } from "#identity/deny-list/encode-deny-list";
import { denyLists } from "#test/support/deny-lists";

test("a list of any members reads back as it was, and its bytes are the same whatever order they came in", () => {
  fc.assert(
    fc.property(denyLists, (parts) => {
      const list = new DenyList(parts);
      const bytes = encodeDenyList(list);
      const decoded = decodeDenyList(bytes);
      assert.ok(decoded.ok);
      assert.deepEqual(decoded.list, list);
      const turned = new DenyList({
        ...parts,
        certificates: [...parts.certificates].reverse(),
        identities: [...parts.identities].reverse(),
      });
      assert.deepEqual(encodeDenyList(turned), bytes);
    }),
  );
});

test("what is looked up is found where a walk over all members finds it", () => {
  fc.assert(
    fc.property(denyLists, denyLists, (parts, others) => {
      const list = new DenyList(parts);
      for (const { fingerprint } of [...parts.certificates, ...others.certificates]) {
        const walked = parts.certificates.some((denied) => denied.fingerprint === fingerprint);
        assert.equal(list.hasCertificate(fingerprint), walked);
      }
      for (const identity of [...parts.identities, ...others.identities])
        assert.equal(list.hasIdentity(identity), parts.identities.includes(identity));
    }),
  );
});
