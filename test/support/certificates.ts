import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Who the certificates speak of: file names without `.crt` and `.key`, by CA, with subject and SAN. */
const leaves = {
  server: { ca: "ca", subject: "/CN=server", san: "DNS:localhost,DNS:garita.internal,IP:127.0.0.1" },
  client: { ca: "ca", subject: "/O=Acme/CN=client", san: "URI:spiffe://cluster.local/ns/default/sa/client" },
  "two-uris": {
    ca: "ca",
    subject: "/CN=two-uris",
    san: "URI:spiffe://cluster.local/ns/default/sa/first,URI:spiffe://cluster.local/ns/default/sa/second,DNS:two.example",
  },
  "two-dns": { ca: "ca", subject: "/CN=two-dns", san: "DNS:a/ns/first/x,DNS:b/ns/second/x" },
  operator: { ca: "ca", subject: "/CN=operator", san: "URI:spiffe://cluster.local/ns/ops/sa/operator" },
  partner: { ca: "ca", subject: "/CN=partner", san: "URI:spiffe://partner.example/ns/default/sa/client" },
  "dns-only": { ca: "ca", subject: "/CN=dns-only", san: "DNS:client.example" },
  "subject-only": { ca: "ca", subject: "/C=DE/O=Acme, Inc/CN=client two", san: undefined },
  stranger: { ca: "other-ca", subject: "/O=Acme/CN=client", san: "URI:spiffe://cluster.local/ns/default/sa/client" },
  "server-renewed": { ca: "ca", subject: "/CN=server", san: "DNS:localhost,DNS:garita.internal,IP:127.0.0.1" },
  "garita-client": { ca: "ca", subject: "/CN=envoy", san: "URI:spiffe://cluster.local/ns/garita/sa/envoy" },
} as const;

const authorities = { ca: "/CN=test CA", "other-ca": "/CN=other CA", "garita-ca": undefined } as const;

export type Leaf = keyof typeof leaves;

export interface Certificates {
  /** Holds `ca.crt`, `garita-ca.crt` (the same), `other-ca.crt`, and `<leaf>.crt`, `<leaf>.key`. */
  readonly directory: string;
  file(name: Leaf, kind: "crt" | "key"): string;
  /** Both its files, as Envoy's listeners and clusters name them. */
  files(name: Leaf): { readonly certificate: string; readonly key: string };
  /** What is in both its files, as Node's TLS takes it. */
  pem(name: Leaf): { readonly cert: Buffer; readonly key: Buffer };
  readonly ca: string;
  remove(): Promise<void>;
}

/** Makes every certificate that the tests use, with OpenSSL, valid for a day. */
export async function makeCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), "garita-certificates-"));
  const path = (name: string) => join(directory, name);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  for (const [name, subject] of Object.entries(authorities)) {
    if (subject === undefined) {
      await run("cp", [path("ca.crt"), path(`${name}.crt`)]);
      continue;
    }
    const extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
    const files = ["-keyout", path(`${name}.key`), "-out", path(`${name}.crt`)];
    await run("openssl", ["req", "-x509", ...newKey, "-days", "1", "-subj", subject, ...extensions, ...files]);
  }
  await Promise.all(
    Object.entries(leaves).map(async ([name, { ca, subject, san }]) => {
      const issuer = ["-CA", path(`${ca}.crt`), "-CAkey", path(`${ca}.key`)];
      const extensions = ["-addext", "basicConstraints=critical,CA:FALSE"];
      if (san !== undefined) extensions.push("-addext", `subjectAltName=${san}`);
      const files = ["-keyout", path(`${name}.key`), "-out", path(`${name}.crt`)];
      await run("openssl", [
        "req",
        "-x509",
        ...newKey,
        "-days",
        "1",
        "-subj",
        subject,
        ...issuer,
        ...extensions,
        ...files,
      ]);
    }),
  );
  const file = (name: Leaf, kind: "crt" | "key") => path(`${name}.${kind}`);
  return {
    directory,
    file,
    files: (name) => ({ certificate: file(name, "crt"), key: file(name, "key") }),
    pem: (name) => ({ cert: readFileSync(file(name, "crt")), key: readFileSync(file(name, "key")) }),
    ca: path("ca.crt"),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
