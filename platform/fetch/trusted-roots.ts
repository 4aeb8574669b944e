import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, getCACertificates, type SecureContext } from "node:tls";
import { CodedError, messageOf } from "../coded-error.ts";

export interface TrustedRoots {
  readonly roots: SecureContext;
  /** PEM of those that the file added. */
  readonly authorities: readonly string[];
}

/**
 * Whom to believe when a server shows its certificate: the authorities that Node trusts (its own list, `NODE_EXTRA_CA_CERTS`, and with
 * `NODE_USE_SYSTEM_CA=1` those of the system) and the ones in a PEM file. Fails with `tls/unreadable` or `tls/unusable`, which name the file.
 */
export async function loadTrustedRoots(caFile: string | undefined): Promise<TrustedRoots> {
  const authorities = caFile === undefined ? [] : await readAuthorities(caFile);
  const ca = [...getCACertificates("default"), ...authorities];
  const own = authorities.length === 0 ? {} : { ca, allowPartialTrustChain: true };
  return { roots: createSecureContext({ minVersion: "TLSv1.2", ...own }), authorities };
}

async function readAuthorities(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CodedError("tls/unreadable", `cannot read \`${path}\`: ${messageOf(cause)}`, { cause });
  });
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new CodedError("tls/unusable", `\`${path}\` holds no certificate`);
  for (const [i, pem] of found.entries()) {
    try {
      new X509Certificate(pem);
    } catch (cause) {
      const message = `certificate ${i + 1} in \`${path}\` cannot be read: ${messageOf(cause)}`;
      throw new CodedError("tls/unusable", message, { cause });
    }
  }
  return found;
}
