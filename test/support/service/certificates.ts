import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Paths of a PEM certificate and its key. */
export interface Issued {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** An authority for tests, in a folder of its own test. */
export interface TestAuthority {
  readonly caFile: string;
  readonly ca: Buffer;
  /** Issues a certificate with these names (`URI:spiffe://…`, `DNS:…`, `IP:…`). */
  issue(name: string, alternativeNames: string): Issued;
}

/** Makes an authority with OpenSSL's command line. */
export function createAuthority(folder: string, name: string): TestAuthority {
  const keyFile = join(folder, `${name}.key`);
  const caFile = join(folder, `${name}.pem`);
  newKey(keyFile);
  openssl(["req", "-x509", "-new", "-key", keyFile, "-out", caFile, "-days", "2", "-subj", `/CN=${name}`]);
  return {
    caFile,
    ca: readFileSync(caFile),
    issue(leaf, alternativeNames) {
      const leafKey = join(folder, `${leaf}.key`);
      const request = join(folder, `${leaf}.csr`);
      const extensions = join(folder, `${leaf}.ext`);
      const certificateFile = join(folder, `${leaf}.pem`);
      newKey(leafKey);
      openssl(["req", "-new", "-key", leafKey, "-out", request, "-subj", `/CN=${leaf}`]);
      writeFileSync(extensions, `subjectAltName=${alternativeNames}\n`);
      const signing = ["x509", "-req", "-in", request, "-CA", caFile, "-CAkey", keyFile, "-CAcreateserial"];
      openssl([...signing, "-out", certificateFile, "-days", "2", "-extfile", extensions]);
      return { certificateFile, keyFile: leafKey, cert: readFileSync(certificateFile), key: readFileSync(leafKey) };
    },
  };
}

function newKey(path: string): void {
  openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path]);
}

function openssl(args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
