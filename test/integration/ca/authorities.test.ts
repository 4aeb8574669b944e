import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Authorities } from "#ca/authorities/authorities";
import type { AuthoritySet } from "#ca/authorities/contract";
import { createIssuing } from "#ca/authorities/create-issuing";
import { createRoot } from "#ca/authorities/create-root";
import { generateKey, type KeyPair } from "#ca/authorities/generate-key";
import { importAuthority } from "#ca/authorities/import-authority";
import { createIssuingAuthority } from "#ca/authorities/issuing-authority";
import { completeIssuing, createIssuingRequest } from "#ca/authorities/issuing-request";
import type { AuthorityMaterial } from "#ca/authorities/read-authority-files";
import type { CreatedAuthority } from "#ca/authorities/sign-authority";
import { buildBundle } from "#ca/bundle/build-bundle";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { type KeyKind, keyKinds } from "#ca/x509/contract";
import { writePem } from "#ca/x509/pem";
import { CodedError } from "#platform/coded-error";
import { cheapKey, createAuthorityScene, day, sceneKey, statesOf } from "#test/support/ca/authority-scene";
import { type OpensslAuthority, OpensslWorkshop } from "#test/support/ca/openssl-authority";
import { signLeaf } from "#test/support/ca/sign-leaf";
import { tempFolder } from "#test/support/service/temp-folder";

const workshop = new OpensslWorkshop();
after(() => workshop.remove());

/** What OpenSSL makes begins now: this is later. */
const nowMillis = Date.now() + 3_600_000;
const base = { trustDomain: "example.org", nowMillis, random: randomBytes };
const uri = "spiffe://example.org/ns/default/sa/a";
let files = 0;

/** Leaves of the set's issuer, one of each key, as OpenSSL judges them, strictly and for both purposes. */
async function opensslVerdict(set: Pick<AuthoritySet, "issuing" | "bundle">, keys: readonly KeyPair[]): Promise<void> {
  const file = async (text: string) => {
    const path = join(workshop.folder, `verdict-${++files}.pem`);
    await writeFile(path, text);
    return path;
  };
  const roots = await file(renderBundlePem(set.bundle));
  const chain = set.issuing!.chainPem.length === 0 ? [] : ["-untrusted", await file(set.issuing!.chainPem.join(""))];
  const leaves = await Promise.all(
    keys.map(({ publicKey }) => file(writePem("CERTIFICATE", signLeaf(set.issuing!, publicKey, uri, nowMillis)))),
  );
  for (const purpose of ["sslserver", "sslclient"]) {
    const answer = await workshop.openssl(
      "verify",
      ...[
        "-x509_strict",
        "-purpose",
        purpose,
        "-attime",
        String(Math.ceil(nowMillis / 1000)),
        "-CAfile",
        roots,
        ...chain,
      ],
      ...leaves,
    );
    assert.equal(answer.match(/: OK$/gm)?.length, keys.length, answer);
  }
}

let leafKeys: readonly KeyPair[];
let p256Key: readonly KeyPair[];

before(async () => {
  leafKeys = await Promise.all(keyKinds.map(generateKey));
  p256Key = leafKeys.slice(0, 1);
});

const roots = new Map<KeyKind, Promise<CreatedAuthority>>();

function rootOf(keyKind: KeyKind): Promise<CreatedAuthority> {
  const root = roots.get(keyKind) ?? createRoot({ ...base, keyKind, generation: 1, lifetimeMillis: 3650 * day });
  roots.set(keyKind, root);
  return root;
}

/** Large RSA keys take seconds to make: under each kind of root only in long runs. */
function isQuick(rootKind: KeyKind, issuingKind: KeyKind): boolean {
  return !["RSA-3072", "RSA-4096"].includes(issuingKind) || rootKind === "P-256" || process.env["GARITA_LONG"] === "1";
}

for (const rootKind of keyKinds)
  for (const issuingKind of keyKinds.filter((kind) => isQuick(rootKind, kind)))
    test(`OpenSSL takes leaves of every kind under ${issuingKind} under ${rootKind}`, async () => {
      const root = await rootOf(rootKind);
      const created = await createIssuing({ ...base, keyKind: issuingKind, lifetimeMillis: 90 * day, root });
      const issuing = createIssuingAuthority([created.authority, root.authority], created.privateKey);
      await opensslVerdict({ issuing, bundle: buildBundle("example.org", 1, [root.authority.certificate]) }, leafKeys);
    });

function materialOf(made: OpensslAuthority, chain: string, root: OpensslAuthority): AuthorityMaterial {
  return {
    certificate: { name: "ca-cert.pem", text: made.certPem },
    key: { name: "ca-key.pem", text: made.keyPem },
    chain: { name: "cert-chain.pem", text: chain },
    roots: { name: "root-cert.pem", text: root.certPem },
  };
}

function hasCode(code: string): (fault: unknown) => boolean {
  return (fault) => fault instanceof CodedError && fault.code === code;
}

const aki = ["-addext", "authorityKeyIdentifier=keyid"];

async function opened(): Promise<ReturnType<typeof createAuthorityScene> & { readonly authorities: Authorities }> {
  const scene = createAuthorityScene([], nowMillis);
  const authorities = await scene.open();
  return { ...scene, authorities };
}

test("an imported authority with an intermediate signs leaves that OpenSSL takes, and cannot be rotated here", async () => {
  const { authorities, open, pass, store } = await opened();
  const root = await workshop.make({ subject: "/O=Acme/CN=root" });
  const upper = await workshop.make({ subject: "/O=Acme/CN=upper", issuer: root, more: aki });
  const issuing = await workshop.make({ subject: "/O=Acme/CN=issuing", issuer: upper, days: 100, more: aki });
  const other = await workshop.make({ subject: "/O=Acme/CN=other root" });
  const imported = importAuthority(
    materialOf(issuing, issuing.certPem + upper.certPem, { ...root, certPem: root.certPem + other.certPem }),
    nowMillis,
  );
  const status = await authorities.adopt(imported, "test");
  assert.equal(status.subject, "O=Acme, CN=issuing");
  assert.deepEqual([...statesOf(store)].sort(), ["audit active", "issuing active", "root active", "root prepared"]);
  assert.equal(authorities.current().issuing!.chainPem.length, 2);
  assert.equal(authorities.current().bundle.anchors.length, 2);
  assert.equal(authorities.current().keyHashes.size, 5, "intermediate, roots and audit key too");
  assert.ok(
    authorities
      .status()
      .filter(({ role }) => role === "root")
      .every(({ keyHeld }) => !keyHeld),
  );
  await opensslVerdict(authorities.current(), p256Key);
  await assert.rejects(authorities.rotateIssuer("test"), hasCode("ca-authority/root-key-elsewhere"));
  await assert.rejects(authorities.adopt(imported, "again"), hasCode("ca-authority/exists"));

  // Another under the same roots is taken; under another root it is not.
  const next = await workshop.make({ subject: "/O=Acme/CN=next", issuer: root, days: 90, more: aki });
  await authorities.adopt(importAuthority(materialOf(next, next.certPem, root), nowMillis), "test");
  assert.equal(authorities.current().issuing!.chainPem.length, 1);
  await opensslVerdict(authorities.current(), p256Key);
  const foreign = await workshop.make({ subject: "/O=Foreign/CN=root" });
  await assert.rejects(
    authorities.adopt(importAuthority(materialOf(foreign, "", foreign), nowMillis), "test"),
    hasCode("ca-authority/exists"),
  );
  authorities.close();
  const again = await open();
  assert.equal(again.current().issuing!.keyId, authorities.current().issuing!.keyId);
  await pass(46 * day);
  assert.match(again.warnings()[0]!, /ends at .* cannot be renewed here: import another/);
  again.close();
});

test("Istio's self-signed root signs leaves itself: the answer is leaf and root", async () => {
  const { authorities, pass, store } = await opened();
  const root = await workshop.make({
    subject: "/O=cluster.local",
    extensions: ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"],
  });
  await authorities.adopt(importAuthority(materialOf(root, "", root), nowMillis), "test");
  const set = authorities.current();
  assert.deepEqual(set.issuing!.chainPem, []);
  assert.deepEqual([...statesOf(store)].sort(), ["audit active", "issuing active"]);
  assert.equal(set.bundle.anchors.length, 1);
  await opensslVerdict(set, leafKeys);
  await assert.rejects(authorities.rotateIssuer("test"), hasCode("ca-authority/self-signed"));
  await pass(2000 * day);
  assert.equal(authorities.current().issuing!.keyId, set.issuing!.keyId, "no renewal is tried");
  authorities.close();
});

test("an import that is interrupted goes on when it is made again", async () => {
  const root = await workshop.make({ subject: "/O=Acme/CN=root" });
  const made = await workshop.make({ subject: "/O=Acme/CN=issuing", issuer: root, more: aki });
  const imported = importAuthority(materialOf(made, made.certPem, root), nowMillis);
  for (const when of ["before", "after"] as const) {
    for (let broken = 0; ; broken++) {
      const { authorities, store } = await opened();
      store.onWrite = (call, at) => {
        if (call === broken && at === when) throw new Error("the machine stops");
      };
      const done = await authorities.adopt(imported, "test").then(
        () => true,
        () => false,
      );
      if (done) break;
      store.onWrite = () => {};
      await authorities.reload();
      if (authorities.current().issuing === undefined) await authorities.adopt(imported, "again");
      assert.equal(authorities.current().issuing!.keyId, imported.path[0]!.keyId, `${when} ${broken}`);
      assert.ok(authorities.auditKey() !== undefined);
      authorities.close();
    }
  }
});

test("an imported authority that fails its self-test leaves nothing behind", async () => {
  const { authorities, store, time } = await opened();
  const root = await workshop.make({ subject: "/O=Acme/CN=root" });
  const made = await workshop.make({ subject: "/O=Acme/CN=issuing", issuer: root, more: aki });
  const imported = importAuthority(materialOf(made, made.certPem, root), nowMillis);
  time.jump(-2 * day);
  await assert.rejects(authorities.adopt(imported, "test"), hasCode("ca-authority/self-test"));
  assert.deepEqual(store.records, []);
  authorities.close();
});

for (const keyKind of ["P-256", "P-384", "RSA-2048"] as const)
  test(`an issuing authority under a root whose key is elsewhere: ${keyKind}`, async () => {
    const { authorities } = await opened();
    const request = await createIssuingRequest({
      trustDomain: "example.org",
      keyKind,
      keyEncryptionKey: sceneKey,
      random: randomBytes,
    });
    const csr = join(workshop.folder, `${request.keyId}.csr`);
    await writeFile(csr, request.csrPem);
    const shown = await workshop.openssl("req", "-in", csr, "-verify", "-noout", "-text");
    assert.match(shown, new RegExp(`CN = issuer ${request.keyId.slice(0, 16)}`));
    assert.match(shown, /CA:TRUE, pathlen:0/);
    assert.match(shown, /URI:spiffe:\/\/example\.org/);

    const root = await workshop.make({ subject: "/O=Acme/CN=offline root" });
    const signer = ["-CA", root.certFile, "-CAkey", root.keyFile, "-days", "90"];
    const extensions = join(workshop.folder, "issuing.ext");
    await writeFile(extensions, "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
    const copied = ["-copy_extensions", "copyall", "-extfile", extensions];
    const certificate = await workshop.openssl("x509", "-req", "-in", csr, ...signer, ...copied);
    const signed = {
      request,
      keyEncryptionKey: sceneKey,
      certificate: { name: "issuing.pem", text: certificate },
      roots: { name: "root.pem", text: root.certPem },
      nowMillis,
    };
    const imported = await completeIssuing(signed);
    await authorities.adopt(imported, "test");
    await opensslVerdict(authorities.current(), leafKeys);
    authorities.close();

    await assert.rejects(
      completeIssuing({ ...signed, keyEncryptionKey: cheapKey("another") }),
      hasCode("ca-key/wrong-encryption-key"),
    );
    await assert.rejects(
      completeIssuing({ ...signed, request: { ...request, keyId: "00" } }),
      hasCode("ca-key/damaged"),
    );
    await assert.rejects(
      completeIssuing({ ...signed, certificate: { name: "issuing.pem", text: root.certPem } }),
      hasCode("ca-import/key-mismatch"),
    );
  });

test("authorities live in the embedded store, over a restart", async (t) => {
  const folder = await tempFolder(t);
  await chmod(folder, 0o700);
  const scene = createAuthorityScene([], nowMillis);
  const file = join(folder, "ca.db");
  const log = { info() {}, warn() {}, error() {}, debug() {}, trace() {}, fatal() {} };
  const open = async () => {
    const store = await openSqliteStore({ file, nowMillis: () => nowMillis, log: log as never });
    return { store, authorities: await scene.open({ store }) };
  };
  const first = await open();
  await first.authorities.initialise("test");
  await first.authorities.rotateIssuer("test");
  const { issuing, bundle } = first.authorities.current();
  first.authorities.close();
  await first.store.close();
  const second = await open();
  assert.equal(second.authorities.current().issuing!.keyId, issuing!.keyId);
  assert.equal(second.authorities.current().bundle.sequence, bundle.sequence);
  assert.equal(second.authorities.auditKey()!.keyId, first.authorities.auditKey()!.keyId);
  await opensslVerdict(second.authorities.current(), p256Key);
  second.authorities.close();
  await second.store.close();
});
