import assert from "node:assert/strict";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { importAuthority } from "#ca/authorities/import-authority";
import { type AuthorityMaterial, readAuthorityFiles } from "#ca/authorities/read-authority-files";
import { CodedError } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import { authorityExtensions, ecKey, type OpensslAuthority, OpensslWorkshop } from "#test/support/ca/openssl-authority";
import { tempFolder } from "#test/support/service/temp-folder";

const workshop = new OpensslWorkshop();
after(() => workshop.remove());

let root: OpensslAuthority;
let upper: OpensslAuthority;
let issuing: OpensslAuthority;
let direct: OpensslAuthority;
let otherRoot: OpensslAuthority;

before(async () => {
  root = await workshop.make({ subject: "/O=Acme/CN=root" });
  upper = await workshop.make({ subject: "/O=Acme/CN=upper", issuer: root });
  issuing = await workshop.make({
    subject: "/O=Acme/CN=issuing",
    issuer: upper,
    days: 90,
    extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"],
  });
  direct = await workshop.make({ subject: "/O=Acme/CN=direct", issuer: root, days: 90 });
  otherRoot = await workshop.make({ subject: "/O=Other/CN=root", newKey: ["-newkey", "rsa:2048"] });
});

function material(parts: {
  readonly certificate: string;
  readonly key: string;
  readonly chain?: string;
  readonly roots: string;
}): AuthorityMaterial {
  return {
    certificate: { name: "ca-cert.pem", text: parts.certificate },
    key: { name: "ca-key.pem", text: parts.key },
    chain: parts.chain === undefined ? undefined : { name: "cert-chain.pem", text: parts.chain },
    roots: { name: "root-cert.pem", text: parts.roots },
  };
}

function subjects(authorities: readonly { readonly subject: string }[]): string[] {
  return authorities.map(({ subject }) => subject);
}

function isFault(code: FaultCode, words: RegExp, secret = ""): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof CodedError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, words);
    assert.ok(secret === "" || !thrown.message.includes(secret));
    return true;
  };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  return folder;
}

test("Istio's cacerts: signing certificate, intermediate, several roots", async (t) => {
  const folder = await writeFiles(await tempFolder(t), {
    "ca-cert.pem": issuing.certPem,
    "ca-key.pem": issuing.keyPem,
    "cert-chain.pem": issuing.certPem + upper.certPem + root.certPem,
    "root-cert.pem": `# ours\n${otherRoot.certPem}${root.certPem}`,
  });
  const imported = importAuthority(await readAuthorityFiles(folder), Date.now());
  assert.deepEqual(subjects(imported.path), ["O=Acme, CN=issuing", "O=Acme, CN=upper", "O=Acme, CN=root"]);
  assert.deepEqual(subjects(imported.roots), ["O=Other, CN=root", "O=Acme, CN=root"]);
  assert.equal(imported.privateKey.type, "private");
});

test("the form of kubernetes.io/tls, mounted as Kubernetes does it: by links", async (t) => {
  const folder = await tempFolder(t);
  await writeFiles(join(folder, "..data"), {
    "tls.crt": issuing.certPem + upper.certPem,
    "tls.key": issuing.keyPem,
    "ca.crt": root.certPem,
  });
  for (const name of ["tls.crt", "tls.key", "ca.crt"]) await symlink(join("..data", name), join(folder, name));
  const imported = importAuthority(await readAuthorityFiles(folder), Date.now());
  assert.deepEqual(subjects(imported.path), ["O=Acme, CN=issuing", "O=Acme, CN=upper", "O=Acme, CN=root"]);
});

test("Istio's self-signed authority: the root signs leaves itself", async (t) => {
  for (const chain of ["", root.certPem]) {
    const folder = await writeFiles(join(await tempFolder(t), "cacerts"), {
      "ca-cert.pem": root.certPem,
      "ca-key.pem": root.keyPem,
      "cert-chain.pem": chain,
      "root-cert.pem": root.certPem,
    });
    const imported = importAuthority(await readAuthorityFiles(folder), Date.now());
    assert.deepEqual(subjects(imported.path), ["O=Acme, CN=root"]);
  }
});

test("the order of intermediates does not matter, nor does one that is not needed", () => {
  const imported = importAuthority(
    material({
      certificate: issuing.certPem,
      key: issuing.keyPem,
      chain: root.certPem + direct.certPem + upper.certPem + issuing.certPem,
      roots: root.certPem,
    }),
    Date.now(),
  );
  assert.equal(imported.path.length, 3);
});

const keyForms: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["P-256 SEC 1", ecKey, ["ec"]],
  ["P-384 PKCS #8", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"], ["pkey"]],
  ["RSA-2048 PKCS #1", ["-newkey", "rsa:2048"], ["rsa", "-traditional"]],
  ["RSA-3072 PKCS #8", ["-newkey", "rsa:3072"], ["pkey"]],
  ["RSA-4096 PKCS #1", ["-newkey", "rsa:4096"], ["rsa", "-traditional"]],
];

for (const [name, newKey, [command, ...options]] of keyForms)
  test(`a key is taken: ${name}`, async () => {
    const made = await workshop.make({ subject: "/O=Acme/CN=issuing", issuer: root, newKey });
    const key = await workshop.openssl(command!, ...options, "-in", made.keyFile);
    const imported = importAuthority(
      material({ certificate: made.certPem, key, chain: made.certPem, roots: root.certPem }),
      Date.now(),
    );
    assert.equal(imported.path[0]!.publicKey.kind, name.slice(0, name.indexOf(" ")));
  });

test("parameters before a SEC 1 key, as `openssl ecparam -genkey` writes them", async () => {
  const keyFile = join(workshop.folder, "ecparam.key");
  await workshop.openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", keyFile);
  const key = await readFile(keyFile, "utf8");
  assert.match(key, /BEGIN EC PARAMETERS/);
  const made = await workshop.make({ subject: "/CN=ecparam", issuer: root, key: { ...root, keyFile } });
  const imported = importAuthority(
    material({ certificate: made.certPem, key, chain: made.certPem, roots: root.certPem }),
    Date.now(),
  );
  assert.equal(imported.path[0]!.publicKey.kind, "P-256");
});

const istioNames = ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"];
const kubernetesNames = ["tls.crt", "tls.key", "ca.crt"];

for (const names of [istioNames, kubernetesNames])
  test(`every half-filled set of ${names[0]} is refused, and what is missing is named`, async (t) => {
    const folder = await tempFolder(t);
    for (let present = 1; present < 2 ** names.length - 1; present++) {
      const here = names.filter((_, i) => (present & (1 << i)) !== 0);
      const set = await writeFiles(join(folder, String(present)), Object.fromEntries(here.map((name) => [name, "x"])));
      const missing = names.filter((name) => !here.includes(name));
      await assert.rejects(
        readAuthorityFiles(set),
        isFault("ca-import/incomplete", new RegExp(`lacks \`${missing[0]}\``)),
      );
    }
  });

test("no authority, two forms at once, and a folder that is not there", async (t) => {
  const folder = await tempFolder(t);
  await assert.rejects(readAuthorityFiles(folder), isFault("ca-import/none", /expected `ca-cert.pem`.*`ca\.crt`/));
  await assert.rejects(
    readAuthorityFiles(join(folder, "none")),
    isFault("ca-import/unreadable", /cannot read the folder/),
  );
  await writeFiles(folder, Object.fromEntries([...istioNames, ...kubernetesNames].map((name) => [name, "x"])));
  await assert.rejects(readAuthorityFiles(folder), isFault("ca-import/incomplete", /two forms/));
});

test("a key that others can read, and a file that is too large, are refused", async (t) => {
  const folder = await writeFiles(await tempFolder(t), {
    "ca-cert.pem": issuing.certPem,
    "ca-key.pem": issuing.keyPem,
    "cert-chain.pem": issuing.certPem,
    "root-cert.pem": root.certPem,
  });
  for (const mode of [0o644, 0o640, 0o660, 0o604]) {
    await chmod(join(folder, "ca-key.pem"), mode);
    await assert.rejects(readAuthorityFiles(folder), isFault("secret/exposed", /ca-key\.pem.*chmod 600/));
  }
  await chmod(join(folder, "ca-key.pem"), 0o400);
  await readAuthorityFiles(folder);
  await writeFile(join(folder, "cert-chain.pem"), "x".repeat(256 * 1024 + 1));
  await assert.rejects(readAuthorityFiles(folder), isFault("ca-import/unreadable", /cert-chain\.pem.*at most/));
});

interface Broken {
  readonly what: string;
  readonly code: FaultCode;
  readonly words: RegExp;
  readonly parts: () => Promise<Parameters<typeof material>[0]> | Parameters<typeof material>[0];
  readonly afterMillis?: number;
}

const good = () => ({
  certificate: direct.certPem,
  key: direct.keyPem,
  chain: direct.certPem,
  roots: root.certPem,
});

/** A certificate under the root that is wrong in one thing. */
async function wrong(extensions: readonly string[], more: readonly string[] = [], subject = "/O=Acme/CN=wrong") {
  const made = await workshop.make({ subject, issuer: root, extensions, more });
  return { certificate: made.certPem, key: made.keyPem, chain: made.certPem, roots: root.certPem };
}

const day = 24 * 3_600_000;

const broken: readonly Broken[] = [
  {
    what: "the key of another authority",
    code: "ca-import/key-mismatch",
    words: /`ca-key\.pem` does not belong to `ca-cert\.pem`/,
    parts: () => ({ ...good(), key: issuing.keyPem }),
  },
  {
    what: "a certificate for a key",
    code: "ca-import/key",
    words: /`ca-key\.pem` holds no private key/,
    parts: () => ({ ...good(), key: direct.certPem }),
  },
  {
    what: "an encrypted key, PKCS #8",
    code: "ca-import/key",
    words: /`ca-key\.pem` is encrypted.*openssl pkey/,
    parts: async () => ({
      ...good(),
      key: await workshop.openssl("pkcs8", "-topk8", "-in", direct.keyFile, "-passout", "pass:x"),
    }),
  },
  {
    what: "an encrypted key, SEC 1",
    code: "ca-import/key",
    words: /`ca-key\.pem` is encrypted/,
    parts: async () => ({
      ...good(),
      key: await workshop.openssl("ec", "-in", direct.keyFile, "-aes128", "-passout", "pass:x"),
    }),
  },
  {
    what: "an Ed25519 key",
    code: "ca-import/key",
    words: /`ca-key\.pem` is of a kind that is not taken/,
    parts: async () => ({ ...good(), key: await workshop.openssl("genpkey", "-algorithm", "ed25519") }),
  },
  {
    what: "a secp256k1 key",
    code: "ca-import/key",
    words: /kind that is not taken/,
    parts: async () => ({
      ...good(),
      key: await workshop.openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout"),
    }),
  },
  {
    what: "a P-256 key with explicit parameters",
    code: "ca-import/key",
    words: /kind that is not taken/,
    parts: async () => ({
      ...good(),
      key: await workshop.openssl("ecparam", "-name", "prime256v1", "-param_enc", "explicit", "-genkey", "-noout"),
    }),
  },
  {
    what: "an RSA key of 1024 bits",
    code: "ca-import/key",
    words: /kind that is not taken/,
    parts: async () => ({
      ...good(),
      key: await workshop.openssl("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:1024"),
    }),
  },
  {
    what: "an RSA key with the exponent 3",
    code: "ca-import/key",
    words: /exponent 65537/,
    parts: async () => ({
      ...good(),
      key: await workshop.openssl("genrsa", "-3", "2048"),
    }),
  },
  {
    what: "no certificate",
    code: "ca-import/unreadable",
    words: /`ca-cert\.pem` holds no PEM of certificates/,
    parts: () => ({ ...good(), certificate: "hello" }),
  },
  {
    what: "roots that are cut off",
    code: "ca-import/unreadable",
    words: /`root-cert\.pem` holds no PEM/,
    parts: () => ({ ...good(), roots: root.certPem.slice(0, 200) }),
  },
  {
    what: "a chain of no DER",
    code: "ca-import/unreadable",
    words: /certificate 2 of `cert-chain\.pem` is no certificate/,
    parts: () => ({
      ...good(),
      chain: `${direct.certPem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    }),
  },
  {
    what: "an empty chain where it is needed",
    code: "ca-import/unreadable",
    words: /`cert-chain\.pem` holds no PEM/,
    parts: () => ({ ...good(), chain: "" }),
  },
  {
    what: "the chain of another authority",
    code: "ca-import/chain",
    words: /`cert-chain\.pem` does not hold the certificate of `ca-cert\.pem`/,
    parts: () => ({ ...good(), chain: issuing.certPem + upper.certPem }),
  },
  {
    what: "a missing intermediate",
    code: "ca-import/chain",
    words: /`O=Acme, CN=issuing` was issued by `O=Acme, CN=upper`, of which there is no certificate/,
    parts: () => ({ certificate: issuing.certPem, key: issuing.keyPem, chain: issuing.certPem, roots: root.certPem }),
  },
  {
    what: "another root",
    code: "ca-import/chain",
    words: /`O=Acme, CN=direct` was issued by `O=Acme, CN=root`, of which there is no certificate/,
    parts: () => ({ ...good(), roots: otherRoot.certPem }),
  },
  {
    what: "another root of the same name",
    code: "ca-import/chain",
    words: /names `O=Acme, CN=root` as its issuer, and the certificate of that name did not sign it/,
    parts: async () => ({ ...good(), roots: (await workshop.make({ subject: "/O=Acme/CN=root" })).certPem }),
  },
  {
    what: "a root that is not among the roots",
    code: "ca-import/chain",
    words: /`O=Other, CN=root` is a root of its own, and not among the roots/,
    parts: () => ({
      certificate: otherRoot.certPem,
      key: otherRoot.keyPem,
      chain: otherRoot.certPem,
      roots: root.certPem,
    }),
  },
  {
    what: "an intermediate among the roots",
    code: "ca-import/chain",
    words: /`O=Acme, CN=upper` of `root-cert\.pem` is no root/,
    parts: () => ({ ...good(), roots: root.certPem + upper.certPem }),
  },
  {
    what: "a certificate of a workload",
    code: "ca-import/not-authority",
    words: /the certificate of `ca-cert\.pem` is no authority: its basic constraints lack `CA:TRUE`/,
    parts: () => wrong(["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"]),
  },
  {
    what: "no basic constraints",
    code: "ca-import/not-authority",
    words: /lack `CA:TRUE`/,
    parts: () => wrong(["keyUsage=critical,keyCertSign"]),
  },
  {
    what: "no keyCertSign",
    code: "ca-import/not-authority",
    words: /lacks `keyCertSign`/,
    parts: () => wrong(["basicConstraints=critical,CA:TRUE", "keyUsage=critical,cRLSign"]),
  },
  {
    what: "no key usage",
    code: "ca-import/not-authority",
    words: /lacks `keyCertSign`/,
    parts: () => wrong(["basicConstraints=critical,CA:TRUE"]),
  },
  {
    what: "no subject key id",
    code: "ca-import/not-authority",
    words: /subjectKeyIdentifier=hash/,
    parts: () => wrong([...authorityExtensions, "subjectKeyIdentifier=none"]),
  },
  {
    what: "name constraints",
    code: "ca-import/not-authority",
    words: /name constraints/,
    parts: () => wrong([...authorityExtensions, "nameConstraints=permitted;DNS:example.org"]),
  },
  {
    what: "a critical extension that nobody knows",
    code: "ca-import/not-authority",
    words: /critical extension 1\.2\.3\.4/,
    parts: () => wrong([...authorityExtensions, "1.2.3.4=critical,DER:0500"]),
  },
  {
    what: "purposes that leaves need left out",
    code: "ca-import/not-authority",
    words: /extended key usage/,
    parts: () => wrong([...authorityExtensions, "extendedKeyUsage=serverAuth"]),
  },
  {
    what: "an empty subject",
    code: "ca-import/not-authority",
    words: /has no subject/,
    parts: () => wrong(authorityExtensions, [], "/"),
  },
  {
    what: "a signature with SHA-1",
    code: "ca-import/not-authority",
    words: /algorithm that is not taken/,
    parts: () => wrong(authorityExtensions, ["-sha1"]),
  },
  {
    what: "a path length of the root that leaves no room",
    code: "ca-import/not-authority",
    words: /the path length 0 of `O=Acme, CN=narrow` does not allow the 1 authorities below it/,
    parts: async () => {
      const narrow = await workshop.make({
        subject: "/O=Acme/CN=narrow",
        extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"],
      });
      const made = await workshop.make({ subject: "/O=Acme/CN=below", issuer: narrow });
      return { certificate: made.certPem, key: made.keyPem, chain: made.certPem, roots: narrow.certPem };
    },
  },
  {
    what: "the root's own subject",
    code: "ca-import/subject",
    words: /the same subject, which OpenSSL and GnuTLS refuse/,
    parts: async () => {
      const made = await workshop.make({ subject: "/O=Acme/CN=root", issuer: root });
      return { certificate: made.certPem, key: made.keyPem, chain: made.certPem, roots: root.certPem };
    },
  },
  {
    what: "an end",
    code: "ca-import/expired",
    words: /`O=Acme, CN=direct` is valid from .*: it has ended/,
    parts: good,
    afterMillis: 91 * day,
  },
  {
    what: "less than a day left",
    code: "ca-import/expired",
    words: /less than 24 hours are left/,
    parts: good,
    afterMillis: 89.5 * day,
  },
  {
    what: "a beginning that is to come",
    code: "ca-import/expired",
    words: /has not begun/,
    parts: good,
    afterMillis: -2 * day,
  },
  {
    what: "roots that have all ended",
    code: "ca-import/expired",
    words: /every root of `root-cert\.pem` has ended/,
    parts: good,
    afterMillis: 3651 * day,
  },
];

for (const { what, code, words, parts, afterMillis = 0 } of broken)
  test(`refused: ${what}`, async () => {
    const text = await parts();
    const secret = text.key.split("\n")[1]?.slice(0, 32);
    assert.throws(() => importAuthority(material(text), Date.now() + afterMillis), isFault(code, words, secret));
  });

test("what the refusals start from is taken", () => {
  assert.equal(importAuthority(material(good()), Date.now()).path.length, 2);
});

test("purposes that leaves need do no harm, nor does a root that has ended beside another", async () => {
  const parts = await wrong([...authorityExtensions, "extendedKeyUsage=serverAuth,clientAuth"]);
  assert.equal(importAuthority(material(parts), Date.now()).path.length, 2);
  const old = await workshop.make({ subject: "/O=Acme/CN=old", days: 1 });
  const imported = importAuthority(material({ ...good(), roots: old.certPem + root.certPem }), Date.now() + 2 * day);
  assert.deepEqual(subjects(imported.roots), ["O=Acme, CN=root"]);
});
