import { fitsKeyKind, signatureAlgorithmFrom } from "./algorithms.ts";
import { sameBytes } from "./bytes.ts";
import type { Certificate } from "./contract.ts";
import { importPublicKey, verifySignature } from "./import-key.ts";
import { nameConstraintsFault } from "./name-constraints.ts";
import { SubjectPublicKey } from "./subject-public-key.ts";
import type { SvidFault } from "./svid-faults.ts";
import { type KnownExtensions, readKnownExtensions } from "./verify-extensions.ts";

/** A certificate with its extensions, read once for all the paths that lead through it. */
export interface ReadableCertificate {
  readonly certificate: Certificate;
  readonly extensions: KnownExtensions;
}

export interface ChainQuestion {
  readonly leaf: ReadableCertificate;
  /** What was presented beside the leaf, in any order. */
  readonly presented: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly nowMillis: number;
  /** Dotted: what the leaf is used for. */
  readonly purpose: string;
}

export type VerifiedChain =
  /** `notAfterMillis`: when the first certificate of the path ends, its anchor included. */
  { readonly ok: true; readonly notAfterMillis: number } | { readonly ok: false; readonly fault: SvidFault };

/** Steps from a certificate to a possible issuer. Each may cost one verification of a signature. */
const mostSteps = 32;

const anyPurpose = "2.5.29.37.0";

/**
 * Looks for a path from the leaf over presented certificates to an anchor, as RFC 5280 §6.1 has it: names equal byte by byte, key ids where both have one,
 * each issuer a CA that may sign, valid now, its path length and its name constraints kept, and every signature right. DIVERGENCE: presented certificates that
 * name themselves as their issuer are passed over: an anchor is found among the anchors, and an authority between that has its issuer's name is refused, for
 * without key ids OpenSSL and GnuTLS take it for its own issuer, and the peers of a mesh should not differ. When there
 * is no path, the fault is that of the attempt that came furthest. Anchors are held to the same rules as authorities, but for a key usage, which they may lack.
 * The leaf itself is not looked at. Never throws; at most 32 steps.
 */
export function verifyChain(question: ChainQuestion): VerifiedChain {
  const search: Search = { ...question, steps: 0, deepest: 0, fault: "issuer-unknown", read: new Map() };
  const notAfterMillis = pathFrom(search, [question.leaf], []);
  return notAfterMillis === undefined
    ? { ok: false, fault: search.fault }
    : { ok: true, notAfterMillis: Math.min(notAfterMillis, question.leaf.certificate.notAfter.millis) };
}

interface Search extends ChainQuestion {
  steps: number;
  /** How long the path was that `fault` ended. */
  deepest: number;
  fault: SvidFault;
  /** What issuers say, read once: paths may come by many times. */
  readonly read: Map<Certificate, KnownExtensions | undefined>;
}

/** When the first issuer of a path to an anchor ends; undefined: there is none. `path` begins with the leaf; `used` are presented ones in it. */
function pathFrom(
  search: Search,
  path: readonly ReadableCertificate[],
  used: readonly Certificate[],
): number | undefined {
  const child = path.at(-1)!;
  for (const anchor of search.anchors) {
    if (!isNamedBy(child, anchor)) continue;
    const last = step(search, path, anchor, true);
    if (last === undefined) continue;
    if (isWithinConstraints([...path, last])) return anchor.notAfter.millis;
    note(search, path, "authority-name-constraints");
  }
  for (const issuer of search.presented) {
    if (!isNamedBy(child, issuer) || used.includes(issuer)) continue;
    if (sameBytes(issuer.subjectDer, issuer.issuerDer)) {
      // One that is an anchor was tried as such.
      if (!search.anchors.some(({ der }) => sameBytes(der, issuer.der))) note(search, path, "authority-self-issued");
      continue;
    }
    const next = step(search, path, issuer, false);
    const end = next === undefined ? undefined : pathFrom(search, [...path, next], [...used, issuer]);
    if (end !== undefined) return Math.min(end, issuer.notAfter.millis);
  }
  note(search, path, "issuer-unknown");
  return undefined;
}

/**
 * Does every authority of the path permit all names below it? ORDER: asked of whole paths only, which lead to an anchor. Comparing many names with many
 * constraints takes time, and whoever has no anchor's signature must not have it.
 */
function isWithinConstraints(path: readonly ReadableCertificate[]): boolean {
  return path.every(({ extensions: { nameConstraints } }, i) => {
    if (nameConstraints === undefined) return true;
    return path
      .slice(0, i)
      .every(
        ({ extensions, certificate }) =>
          nameConstraintsFault(nameConstraints, extensions.names, certificate.subjectDer) === undefined,
      );
  });
}

function isNamedBy({ certificate }: ReadableCertificate, issuer: Certificate): boolean {
  return sameBytes(certificate.issuerDer, issuer.subjectDer);
}

/** The issuer with its extensions when it may stand above the path, and signed what is below. */
function step(
  search: Search,
  path: readonly ReadableCertificate[],
  issuer: Certificate,
  isAnchor: boolean,
): ReadableCertificate | undefined {
  const extensions = extensionsOf(search, issuer);
  // Key ids choose among issuers of one name; a mismatch says that this is none, not what is wrong with it.
  const wanted = path.at(-1)!.extensions.authorityKeyId;
  const offered = extensions?.subjectKeyId;
  if (wanted !== undefined && offered !== undefined && !sameBytes(wanted, offered)) return undefined;
  if (search.steps >= mostSteps) {
    search.fault = "too-many-paths";
    search.deepest = Number.POSITIVE_INFINITY;
    return undefined;
  }
  search.steps += 1;
  const fault =
    extensions === undefined
      ? "authority-extensions"
      : (issuerFault(search, path, { certificate: issuer, extensions }, isAnchor) ??
        signatureFault(path.at(-1)!.certificate, issuer));
  if (fault !== undefined || extensions === undefined) {
    note(search, path, fault ?? "authority-extensions");
    return undefined;
  }
  return { certificate: issuer, extensions };
}

function extensionsOf({ read }: Search, certificate: Certificate): KnownExtensions | undefined {
  if (!read.has(certificate)) read.set(certificate, readKnownExtensions(certificate));
  return read.get(certificate);
}

/** Keeps the fault of the longest path; of several as long the first, but a signature of somebody else of the same name says least. */
function note(search: Search, path: readonly ReadableCertificate[], fault: SvidFault): void {
  const saysMore = search.fault === "signature-wrong" && fault !== "issuer-unknown";
  if (path.length < search.deepest || (path.length === search.deepest && !saysMore)) return;
  search.deepest = path.length;
  search.fault = fault;
}

function issuerFault(
  { nowMillis, purpose }: Search,
  path: readonly ReadableCertificate[],
  { certificate, extensions }: ReadableCertificate,
  isAnchor: boolean,
): SvidFault | undefined {
  const { basicConstraints, keyUsage, purposes } = extensions;
  if (certificate.version !== 3) return "authority-version";
  if (basicConstraints?.ca !== true) return "authority-not-ca";
  if (keyUsage === undefined ? !isAnchor : !keyUsage.names.includes("keyCertSign")) return "authority-key-usage";
  if (purposes !== undefined && !purposes.includes(purpose) && !purposes.includes(anyPurpose))
    return "authority-purpose";
  if (basicConstraints.pathLength !== undefined && path.length - 1 > basicConstraints.pathLength)
    return "authority-path-length";
  if (!(nowMillis >= certificate.notBefore.millis)) return "authority-not-yet-valid";
  if (!(nowMillis <= certificate.notAfter.millis)) return "authority-expired";
  return undefined;
}

function signatureFault(child: Certificate, issuer: Certificate): SvidFault | undefined {
  if (!sameBytes(child.signatureAlgorithmDer, child.outerAlgorithmDer)) return "algorithm-mismatch";
  const algorithm = signatureAlgorithmFrom(child.signatureAlgorithmDer);
  if (algorithm === undefined) return "algorithm-not-taken";
  const shape = SubjectPublicKey.of(issuer.spkiDer);
  if (shape === undefined) return "authority-key";
  if (!fitsKeyKind(algorithm, shape.kind)) return "algorithm-not-taken";
  const key = importPublicKey(shape);
  if (key === undefined) return "authority-key";
  return verifySignature(algorithm, key, child.tbsDer, child.signature) ? undefined : "signature-wrong";
}
