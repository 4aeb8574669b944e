import { sameBytes } from "#ca/x509/bytes";
import { renderName } from "#ca/x509/name";
import { type AuthorityCertificate, isSelfIssued, issued } from "./authority-certificate.ts";

/** Longer ones are no real ones. */
const longestPath = 8;

export type FoundPath =
  /** From the certificate itself up to the root, both included; one alone when it is a root. */
  | { readonly ok: true; readonly path: readonly AuthorityCertificate[] }
  | { readonly ok: false; readonly kind: "chain" | "authority" | "subject"; readonly message: string };

/**
 * The path from an authority's certificate by way of intermediates to one of the roots, each signed by the next, with path lengths that leave room for
 * leaves (RFC 5280 §6.1) and subjects that differ (several libraries do not find their way past two of the same name). Times are not looked at. The order
 * of the intermediates does not matter, and those that are not needed are left out.
 */
export function findPath(
  certificate: AuthorityCertificate,
  intermediates: readonly AuthorityCertificate[],
  roots: readonly AuthorityCertificate[],
): FoundPath {
  const path = pathFrom([certificate], intermediates, roots);
  if (path === undefined) return { ok: false, kind: "chain", message: whyNot(certificate, intermediates, roots) };
  const subjects = new Set(path.map(({ certificate: { subjectDer } }) => Buffer.from(subjectDer).toString("latin1")));
  if (subjects.size !== path.length)
    return {
      ok: false,
      kind: "subject",
      message:
        "two authorities of the path have the same subject, which OpenSSL and GnuTLS refuse; give the intermediate its own",
    };
  for (const [below, authority] of path.entries())
    if (authority.pathLength !== undefined && authority.pathLength < below)
      return {
        ok: false,
        kind: "authority",
        message: `the path length ${authority.pathLength} of \`${authority.subject}\` does not allow the ${below} authorities below it`,
      };
  return { ok: true, path };
}

function pathFrom(
  path: readonly AuthorityCertificate[],
  intermediates: readonly AuthorityCertificate[],
  roots: readonly AuthorityCertificate[],
): readonly AuthorityCertificate[] | undefined {
  const last = path.at(-1)!;
  if (roots.some((root) => same(root, last))) return path;
  if (path.length === longestPath) return undefined;
  const root = roots.find((candidate) => issued(candidate, last));
  if (root !== undefined) return [...path, root];
  for (const candidate of intermediates) {
    if (path.some((taken) => same(taken, candidate)) || !issued(candidate, last)) continue;
    const found = pathFrom([...path, candidate], intermediates, roots);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Tells of the highest certificate that is reached, whose issuer is missing or is another one of the same name. */
function whyNot(
  certificate: AuthorityCertificate,
  intermediates: readonly AuthorityCertificate[],
  roots: readonly AuthorityCertificate[],
): string {
  let last = certificate;
  for (let i = 0; i < longestPath && !isSelfIssued(last.certificate); i++) {
    const next = intermediates.find((candidate) => issued(candidate, last));
    if (next === undefined) break;
    last = next;
  }
  const issuer = renderName(last.certificate.issuerDer);
  if (isSelfIssued(last.certificate)) return `\`${last.subject}\` is a root of its own, and not among the roots`;
  const namesake = [...intermediates, ...roots].some(({ certificate: { subjectDer } }) =>
    sameBytes(subjectDer, last.certificate.issuerDer),
  );
  return namesake
    ? `\`${last.subject}\` names \`${issuer}\` as its issuer, and the certificate of that name did not sign it`
    : `\`${last.subject}\` was issued by \`${issuer}\`, of which there is no certificate`;
}

function same(a: AuthorityCertificate, b: AuthorityCertificate): boolean {
  return a === b || sameBytes(a.certificate.der, b.certificate.der);
}
