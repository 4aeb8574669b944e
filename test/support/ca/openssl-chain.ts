import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KeyKind } from "#ca/x509/contract";
import type { TestKeys } from "./chain-certificates.ts";

const run = promisify(execFile);

const configuration = `
[req]
distinguished_name = name
prompt = no
string_mask = utf8only
[name]
O = mesh.example
CN = root
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
subjectAltName = URI:spiffe://mesh.example
[issuing]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = URI:spiffe://mesh.example
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = critical, URI:spiffe://mesh.example/ns/shop/sa/cart
`;

/** A root, an issuing authority and a leaf of this kind of key, made by the `openssl` command and valid for a day from now. DER; leaf first. */
export async function makeOpensslChain(
  kind: KeyKind,
  keys: TestKeys,
): Promise<{ chain: readonly Uint8Array[]; anchor: Uint8Array }> {
  const directory = await mkdtemp(join(tmpdir(), "garita-openssl-chain-"));
  try {
    const openssl = (...args: readonly string[]) => run("openssl", args, { cwd: directory });
    await writeFile(join(directory, "openssl.cnf"), configuration);
    for (const role of ["root", "issuing", "leaf"] as const)
      await writeFile(
        join(directory, `${role}.key`),
        keys(kind, role).privateKey.export({ type: "pkcs8", format: "pem" }),
      );
    const common = ["-config", "openssl.cnf", "-sha256"];
    await openssl(
      "req",
      "-x509",
      ...common,
      "-key",
      "root.key",
      "-days",
      "1",
      "-extensions",
      "root",
      "-out",
      "root.crt",
    );
    for (const [role, issuer, subject] of [
      ["issuing", "root", "/O=mesh.example/CN=issuer"],
      ["leaf", "issuing", "/"],
    ] as const) {
      await openssl("req", "-new", ...common, "-key", `${role}.key`, "-subj", subject, "-out", `${role}.csr`);
      const signer = ["-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`, "-CAcreateserial"];
      const extensions = ["-extfile", "openssl.cnf", "-extensions", role];
      await openssl(
        "x509",
        "-req",
        "-sha256",
        "-in",
        `${role}.csr`,
        ...signer,
        ...extensions,
        "-days",
        "1",
        "-out",
        `${role}.crt`,
      );
    }
    const der = async (role: string) => {
      const { stdout } = await run("openssl", ["x509", "-in", `${role}.crt`, "-outform", "DER"], {
        cwd: directory,
        encoding: "buffer",
      });
      return new Uint8Array(stdout);
    };
    return { chain: [await der("leaf"), await der("issuing")], anchor: await der("root") };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
