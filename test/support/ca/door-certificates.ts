import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate and its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface DoorCertificates {
  readonly root: string;
  readonly otherRoot: string;
  readonly issuer: string;
  /** For `localhost` and 127.0.0.1, under the root. */
  readonly server: Pair;
  /** For `ca.example`. */
  readonly misnamed: Pair;
  /** Under the issuer, without it in `cert`. */
  leaf(name: string): Pair;
  readonly selfSigned: Pair;
}

/** Makes the certificates of the doors' tests with OpenSSL, in a folder of the test. */
export function makeDoorCertificates(folder: string): DoorCertificates {
  const make = (name: string, subject: string, by: string | undefined, extensions: readonly string[]): Pair => {
    const [keyFile, certFile] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
    const issuer = by === undefined ? [] : ["-CA", join(folder, `${by}.pem`), "-CAkey", join(folder, `${by}.key`)];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
    const more = extensions.flatMap((extension) => ["-addext", extension]);
    const args = ["req", "-x509", ...key, "-days", "2", "-subj", subject, ...issuer, ...more, "-out", certFile];
    execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
    return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
  };
  const authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
  const leaf = (name: string) => ["basicConstraints=critical,CA:FALSE", `subjectAltName=${name}`];
  const root = make("root", "/CN=root", undefined, authority).cert;
  const otherRoot = make("other-root", "/CN=other root", undefined, authority).cert;
  const issuer = make("issuer", "/CN=issuer", "root", authority).cert;
  let made = 0;
  return {
    root,
    otherRoot,
    issuer,
    server: make("server", "/CN=server", "root", leaf("DNS:localhost,IP:127.0.0.1")),
    misnamed: make("misnamed", "/CN=misnamed", "root", leaf("DNS:ca.example")),
    leaf: (name) => make(`leaf-${++made}`, "/CN=leaf", "issuer", leaf(`URI:spiffe://cluster.local/${name}`)),
    selfSigned: make("self", "/CN=self", undefined, leaf("URI:spiffe://cluster.local/self")),
  };
}
