import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { sameBytes } from "#ca/x509/bytes";
import { readPemBlocks } from "#ca/x509/pem";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { CodedError } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import { type AuthorityCertificate, isSelfIssued, issued, readAuthorityDer } from "./authority-certificate.ts";
import { shortestIssuingMillis } from "./create-issuing.ts";
import { findPath } from "./find-path.ts";
import { fitsCertificate } from "./issuing-authority.ts";
import type { AuthorityMaterial, NamedText } from "./read-authority-files.ts";

/** An authority of which every certificate was looked at, and whose key fits. */
export interface ImportedAuthority {
  readonly privateKey: KeyObject;
  /** From the signing certificate up to the root; one alone when the root signs leaves itself. */
  readonly path: readonly AuthorityCertificate[];
  /** Every root that was there and has not ended, the path's among them. */
  readonly roots: readonly AuthorityCertificate[];
}

const limits = { sizeCharacters: 256 * 1024, blocks: 32 };

/**
 * Checks an authority that others made: the key belongs to the certificate, the certificates lead to a root, each may sign what is below it, and they last
 * long enough. A root that signs leaves itself (as Istio's self-signed one) is its own path. Fails with a code of `ca-import/…`, in words that tell which check
 * of which file failed; the key is in none of them.
 */
export function importAuthority(material: AuthorityMaterial, nowMillis: number): ImportedAuthority {
  const privateKey = readPrivateKey(material.key);
  return checkAuthority(material, privateKey, nowMillis);
}

/** As `importAuthority`, for a key that is here already. */
export function checkAuthority(
  material: Omit<AuthorityMaterial, "key"> & { readonly key: { readonly name: string } },
  privateKey: KeyObject,
  nowMillis: number,
): ImportedAuthority {
  const [own, ...behind] = readAuthorities(material.certificate, "certificate");
  const roots = readRoots(material.roots, nowMillis);
  if (!fitsCertificate(privateKey, own!))
    throw fault(
      "ca-import/key-mismatch",
      `\`${material.key.name}\` does not belong to \`${material.certificate.name}\`: it is another one, or its halves are not of one key`,
    );
  const isRoot = roots.some(({ certificate }) => sameBytes(certificate.der, own!.certificate.der));
  const chain = material.chain === undefined ? [] : readChain(material, own!, isRoot);
  const found = findPath(own!, [...behind, ...chain], roots);
  if (!found.ok) throw fault(pathCodes[found.kind], `\`${material.certificate.name}\`: ${found.message}`);
  for (const authority of found.path) demandLife(authority, nowMillis);
  return { privateKey, path: found.path, roots };
}

const pathCodes = {
  chain: "ca-import/chain",
  authority: "ca-import/not-authority",
  subject: "ca-import/subject",
} as const satisfies Record<string, FaultCode>;

/** The private key of a PEM text: PKCS #8, PKCS #1 or SEC 1, one of the kinds that are taken. */
function readPrivateKey({ name, text }: NamedText): KeyObject {
  // Beside `EC PRIVATE KEY` stands what `openssl ecparam -genkey` writes before it.
  const encrypted = /^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text);
  if (encrypted)
    throw fault("ca-import/key", `\`${name}\` is encrypted: decrypt it for the import (\`openssl pkey -in ${name}\`)`);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, format: "pem" });
  } catch {
    // What OpenSSL says of it is left out: nothing of a key belongs into a message.
    throw fault("ca-import/key", `\`${name}\` holds no private key: expected PEM of PKCS #8, PKCS #1 or SEC 1`);
  }
  const spkiDer = createPublicKey(key).export({ type: "spki", format: "der" });
  if (SubjectPublicKey.of(new Uint8Array(spkiDer)) === undefined)
    throw fault(
      "ca-import/key",
      `\`${name}\` is of a kind that is not taken: expected P-256, P-384, or RSA with 2048, 3072 or 4096 bits and the exponent 65537`,
    );
  return key;
}

function readAuthorities(named: NamedText, what: string): readonly AuthorityCertificate[] {
  const blocks = readPemBlocks(named.text, "CERTIFICATE", limits);
  if (!blocks.ok)
    throw fault("ca-import/unreadable", `\`${named.name}\` holds no PEM of certificates: ${blocks.fault.message}`);
  return blocks.value.map((der, i) => {
    const read = readAuthorityDer(der);
    if (read.ok) return read.authority;
    const which = blocks.value.length === 1 ? `the ${what}` : `${what} ${i + 1}`;
    const code = read.kind === "der" ? "ca-import/unreadable" : "ca-import/not-authority";
    throw fault(code, `${which} of \`${named.name}\` ${read.message}`);
  });
}

/** Roots that have ended trust nobody any more: they are left out. */
function readRoots(named: NamedText, nowMillis: number): readonly AuthorityCertificate[] {
  const roots = readAuthorities(named, "root");
  for (const root of roots)
    if (!isSelfIssued(root.certificate) || !issued(root, root))
      throw fault("ca-import/chain", `\`${root.subject}\` of \`${named.name}\` is no root: it is not signed by itself`);
  const living = roots.filter(({ certificate }) => certificate.notAfter.millis > nowMillis);
  if (living.length === 0) throw fault("ca-import/expired", `every root of \`${named.name}\` has ended`);
  return living;
}

/** Istio's chain begins with the signing certificate; it may be empty where that is a root. */
function readChain(
  { chain, certificate }: Pick<AuthorityMaterial, "chain" | "certificate">,
  own: AuthorityCertificate,
  isRoot: boolean,
): readonly AuthorityCertificate[] {
  if (isRoot && chain!.text.trim() === "") return [];
  const authorities = readAuthorities(chain!, "certificate");
  if (!authorities.some((authority) => sameBytes(authority.certificate.der, own.certificate.der)))
    throw fault(
      "ca-import/chain",
      `\`${chain!.name}\` does not hold the certificate of \`${certificate.name}\`: the files belong to two authorities`,
    );
  return authorities;
}

function demandLife({ certificate, subject }: AuthorityCertificate, nowMillis: number): void {
  const { notBefore, notAfter } = certificate;
  const until = `\`${subject}\` is valid from ${isoOf(notBefore.millis)} to ${isoOf(notAfter.millis)}`;
  if (notBefore.millis > nowMillis) throw fault("ca-import/expired", `${until}: it has not begun`);
  if (notAfter.millis <= nowMillis) throw fault("ca-import/expired", `${until}: it has ended`);
  if (notAfter.millis < nowMillis + shortestIssuingMillis)
    throw fault("ca-import/expired", `${until}: less than 24 hours are left`);
}

function isoOf(millis: number): string {
  return new Date(millis).toISOString();
}

function fault(code: FaultCode, message: string): CodedError {
  return new CodedError(code, message);
}
