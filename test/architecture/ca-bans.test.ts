import assert from "node:assert/strict";
import { test } from "node:test";
import { importsOf, readSource, sourceFiles, withoutComments } from "./source-tree.ts";

const files = sourceFiles().filter((path) => path.startsWith("ca/") && path.endsWith(".ts") && !path.endsWith(".d.ts"));
const codes = new Map(files.map((path) => [path, withoutComments(readSource(path))]));

/** Names that each file takes from a module, types left out. */
function namesFrom(path: string, specifier: RegExp): readonly string[] {
  const pattern = /import\s+(type\s+)?([^;"']*?)\s+from\s+["']([^"']+)["']/g;
  return [...codes.get(path)!.matchAll(pattern)].flatMap(([, type, clause, from]) => {
    if (type !== undefined || !specifier.test(from!)) return [];
    const named = /\{([^}]*)\}/.exec(clause!)?.[1] ?? "";
    const whole = clause!
      .replace(/\{[^}]*\}/, "")
      .replaceAll(",", "")
      .trim();
    const each = named.split(",").map((name) => name.trim());
    return [...(whole === "" ? [] : [`all of it: ${whole}`]), ...each].filter(
      (name) => name !== "" && !name.startsWith("type "),
    );
  });
}

function filesThat(pattern: RegExp): readonly string[] {
  return files.filter((path) => pattern.test(codes.get(path)!));
}

test("the scan sees the authority", () => {
  assert.ok(files.length > 150);
  assert.deepEqual(namesFrom("ca/x509/import-key.ts", /^node:crypto$/), ["createPublicKey", "sign", "verify"]);
});

test("of node-forge its asn1 alone is imported, and only where DER is read and written", () => {
  const imports = sourceFiles()
    .filter((path) => !/^(test|bench|tools)\//.test(path))
    .flatMap((path) => importsOf(path))
    .filter(({ specifier }) => specifier.startsWith("node-forge"));
  assert.deepEqual(
    imports.map(({ from, specifier }) => `${from}: ${specifier}`),
    ["ca/x509/der.ts: node-forge/lib/asn1.js", "ca/x509/encode.ts: node-forge/lib/asn1.js"],
  );
});

/** Every file that handles keys or signatures, and what it uses for it; hashes are anybody's. */
const keyUsers: Readonly<Record<string, readonly string[]>> = {
  // The one import of a stranger's key, behind the check of its shape; signing and verifying certificates.
  "ca/x509/import-key.ts": ["createPublicKey", "sign", "verify"],
  // Ed25519, for heads of the log.
  "ca/authorities/audit-key.ts": ["createPublicKey", "generateKeyPair", "sign", "verify"],
  // Public halves of keys that are held here.
  "ca/authorities/issuing-authority.ts": ["createPublicKey"],
  "ca/authorities/import-authority.ts": ["createPrivateKey", "createPublicKey"],
  "ca/authorities/generate-key.ts": ["generateKeyPair"],
  // Keys at rest.
  "ca/authorities/key-envelope.ts": ["createCipheriv", "createDecipheriv", "createPrivateKey"],
  "ca/authorities/key-encryption-key.ts": ["scrypt"],
  // Asks OpenSSL about our own certificates.
  "ca/authorities/self-test.ts": ["X509Certificate"],
  // Our own clients' requests.
  "ca/csr/build-csr.ts": ["createPublicKey", "sign"],
  // The deny list: by a key of the authority's own, whose certificate was linted and recorded like any other.
  "ca/deny-list/publish-deny-list.ts": ["createPrivateKey"],
  "ca/deny-list/sign-deny-list.ts": ["sign"],
  "ca/deny-list/verify-deny-list.ts": ["verify"],
  // The agent's own keys, on their way to its files and to its workloads.
  "ca/agent/private-key.ts": ["createPrivateKey", "createPublicKey"],
};
const harmless = new Set(["hash", "createHash", "timingSafeEqual", "randomBytes"]);

test("keys are imported, made, used and kept in the files that are for it", () => {
  const found = files.flatMap((path) => {
    const used = namesFrom(path, /^(?:node:)?crypto$/).filter((name) => !harmless.has(name));
    return used.length === 0 ? [] : [[path, [...used].sort()] as const];
  });
  const wanted = Object.entries(keyUsers).map(([path, used]) => [path, [...used].sort()] as const);
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(wanted));
});

test("bytes are signed where they were linted, and in a request and a trial of our own keys", () => {
  const users = files.filter((path) => namesFrom(path, /import-key(?:\.ts)?$/).includes("signTbs"));
  assert.deepEqual(users, [
    "ca/authorities/issuing-authority.ts",
    "ca/authorities/issuing-request.ts",
    "ca/authorities/sign-authority.ts",
    "ca/service/dry-run.ts",
  ]);
  assert.deepEqual(filesThat(/\bauthority\.sign\(/), [
    "ca/authorities/self-test.ts",
    "ca/issuance/issued-certificate.ts",
  ]);
});

test("what is proof of something is made in its own file alone", () => {
  const proofs = {
    SubjectPublicKey: "ca/x509/subject-public-key.ts",
    ParsedCsr: "ca/csr/parse-csr.ts",
    ProvenCsr: "ca/csr/prove-csr.ts",
    Grant: "ca/issuance/grant.ts",
    LintedTemplate: "ca/lint/linted-template.ts",
    RecordedIntent: "ca/issuance/issued-certificate.ts",
    IssuedCertificate: "ca/issuance/issued-certificate.ts",
  };
  for (const [name, home] of Object.entries(proofs)) {
    assert.deepEqual(filesThat(new RegExp(`\\bnew ${name}\\(`)), [home]);
    const [head] = new RegExp(`class ${name} \\{[^]*?\\bconstructor\\(`).exec(codes.get(home)!) ?? [""];
    assert.match(head, /private constructor\($/, `${name} can be made by anybody`);
    // Without one an object of the same members would do.
    assert.match(head, /readonly #\w+ = true;/, `${name} has no private member`);
    assert.deepEqual(
      filesThat(new RegExp(`\\bas (?:unknown as )?(?:readonly )?${name}\\b(?!\\w)`)),
      [],
      `something is only said to be a ${name}`,
    );
  }
});

test("the authority reads no clock and no chance by itself: both are handed to it", () => {
  const pattern =
    /\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\brandomBytes\b.*from|\bprocess\.env\b/;
  assert.deepEqual(filesThat(pattern), []);
});

test("the store's own folder alone speaks to SQLite", () => {
  const sqlite = files.filter((path) => importsOf(path).some(({ specifier }) => specifier === "node:sqlite"));
  assert.ok(sqlite.length > 0);
  assert.deepEqual(
    sqlite.filter((path) => !path.startsWith("ca/store/sqlite/")),
    [],
  );
});
