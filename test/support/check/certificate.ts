import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CertificateInput {
  /** `[attribute, value]` first to last; `+` before an attribute puts it into the set of the one before. */
  readonly subject?: readonly (readonly [string, string])[];
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
}

/** A self-signed certificate by OpenSSL, as Envoy sends one, with the subject as OpenSSL prints RFC 2253. */
export function makeCertificate({ subject = [], uris = [], dns = [] }: CertificateInput): {
  encoded: string;
  subject: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "garita-certificate-"));
  try {
    const names = [...uris.map((uri, i) => `URI.${i} = ${uri}`), ...dns.map((name, i) => `DNS.${i} = ${name}`)];
    const config = [
      "[req]",
      "distinguished_name = dn",
      "string_mask = utf8only",
      "utf8 = yes",
      "prompt = no",
      "x509_extensions = ext",
      "[dn]",
      ...subject.map(([attribute, value], i) =>
        attribute.startsWith("+") ? `+${i}.${attribute.slice(1)} = ${value}` : `${i}.${attribute} = ${value}`,
      ),
      "[ext]",
      "basicConstraints = CA:false",
      ...(names.length > 0 ? ["subjectAltName = @san", "[san]", ...names] : []),
    ].join("\n");
    writeFileSync(join(folder, "c.cnf"), config, "latin1");
    const openssl = (...args: string[]) =>
      execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    openssl(
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 2 -config c.cnf".split(
        " ",
      ),
      ...(subject.length === 0 ? ["-subj", "/"] : []),
    );
    const pem = openssl("x509", "-in", "c.pem").toString();
    const printed = openssl("x509", "-in", "c.pem", "-noout", "-subject", "-nameopt", "RFC2253").toString();
    return { encoded: encodeURIComponent(pem), subject: printed.trimEnd().slice("subject=".length) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
