import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What an authority made by OpenSSL is to be. */
export interface OpensslWanted {
  readonly subject: string;
  /** Undefined: its own root. */
  readonly issuer?: OpensslAuthority;
  readonly newKey?: readonly string[];
  readonly days?: number;
  /** `-addext` values; they replace those of an authority. */
  readonly extensions?: readonly string[];
  readonly more?: readonly string[];
  /** Another certificate for a key that is there. */
  readonly key?: OpensslAuthority;
}

/** A certificate and its key, with what the files of an authority are made of. */
export interface OpensslAuthority {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
export const authorityExtensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];

/** Makes authorities with the OpenSSL command line: the material that others bring. */
export class OpensslWorkshop {
  readonly folder = mkdtempSync(join(tmpdir(), "garita-openssl-"));
  #made = 0;

  async make(wanted: OpensslWanted): Promise<OpensslAuthority> {
    const name = join(this.folder, String(++this.#made));
    const [certFile, keyFile] = [`${name}.crt`, wanted.key?.keyFile ?? `${name}.key`];
    const key =
      wanted.key === undefined ? [...(wanted.newKey ?? ecKey), "-nodes", "-keyout", keyFile] : ["-key", keyFile];
    const signer = wanted.issuer === undefined ? [] : ["-CA", wanted.issuer.certFile, "-CAkey", wanted.issuer.keyFile];
    const extensions = (wanted.extensions ?? authorityExtensions).flatMap((each) => ["-addext", each]);
    const basics = ["-subj", wanted.subject, "-days", String(wanted.days ?? 3650), "-out", certFile];
    // An empty section, so that nothing but what is asked for is in the certificate.
    const config = join(this.folder, "openssl.cnf");
    writeFileSync(config, "[req]\ndistinguished_name = dn\n[dn]\n");
    await run("openssl", [
      "req",
      "-x509",
      "-config",
      config,
      ...key,
      ...basics,
      ...signer,
      ...extensions,
      ...(wanted.more ?? []),
    ]);
    return { certPem: readFileSync(certFile, "utf8"), keyPem: readFileSync(keyFile, "utf8"), certFile, keyFile };
  }

  /** What the OpenSSL command line answers; rejects with its words when it fails. */
  async openssl(...args: readonly string[]): Promise<string> {
    const { stdout } = await run("openssl", [...args]);
    return stdout;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
