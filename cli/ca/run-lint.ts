import type { LintContext, LintFinding } from "#ca/lint/contract";
import { lintBody } from "#ca/lint/linted-template";
import { signatureAlgorithmFrom } from "#ca/x509/algorithms";
import type { Certificate, KeyKind } from "#ca/x509/contract";
import { readCertificate } from "#ca/x509/read-certificate";
import { extensionOids, readAlternativeNames, readBasicConstraints } from "#ca/x509/read-extensions";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageFault } from "../usage-fault.ts";
import { certificatesOf } from "./inspect/read-items.ts";
import { fieldsText, jsonText, linesText, paintFor } from "./paint.ts";
import { readNamed } from "./read-file.ts";
import type { FormatOptions } from "./service-options.ts";

export interface LintOptions extends FormatOptions {
  readonly issuer?: string;
  readonly profile?: LintContext["profile"];
}

/** Lints that compare with the issuer's certificate, and say so when there is none. */
const needIssuer: ReadonlySet<string> = new Set(["issuer_is_ca", "issuer_is_issuers_subject", "issuer_key_of_signer"]);

/**
 * `garita ca lint FILE`: what the authority's lints say of the first certificate of a file, against `--issuer`, or the next certificate of the file where that signed it; 5
 * when one objects. What it was granted is not known: it is taken to be what it says.
 */
export async function lint(file: string, options: LintOptions, context: CommandContext): Promise<void> {
  const [first, second] = certificatesOf(await readNamed(file, context), file);
  const certificate = readWhole(first!, file);
  const issuer = await issuerOf(certificate, second, options, file, context);
  const profile = options.profile ?? profileOf(certificate);
  const all = lintBody(certificate, contextOf(certificate, issuer, profile));
  const isAlone = issuer === undefined && profile !== "root";
  const findings = isAlone ? all.filter((finding) => !needIssuer.has(finding.lint)) : all;
  if (options.format === "json") context.write(jsonText({ profile, issuerKnown: !isAlone, findings }));
  else {
    const paint = paintFor(context);
    const note = isAlone ? "no issuer to compare with: --issuer names its certificate" : undefined;
    const verdict = findings.length === 0 ? paint.good("no lint objects") : paint.bad(counted(findings.length));
    context.write(
      linesText([
        ...findings.flatMap(({ lint: id, citation, message }: LintFinding) =>
          fieldsText([[id, `${message} (${citation})`]]),
        ),
        `${profile}: ${verdict}`,
        ...(note === undefined ? [] : [paint.faint(note)]),
      ]),
    );
  }
  if (findings.length > 0) context.finish(exitCodes.gate);
}

function counted(number: number): string {
  return number === 1 ? "1 lint objects" : `${number} lints object`;
}

function readWhole(der: Uint8Array, file: string): Certificate {
  const read = readCertificate(der);
  if (!read.ok) throw new UsageFault(`a certificate of \`${file}\` cannot be read: ${read.fault.message}`);
  return read.value;
}

async function issuerOf(
  certificate: Certificate,
  next: Uint8Array | undefined,
  options: LintOptions,
  file: string,
  context: CommandContext,
): Promise<Certificate | undefined> {
  if (options.issuer !== undefined) {
    const [der] = certificatesOf(await readNamed(options.issuer, context), options.issuer);
    return readWhole(der!, options.issuer);
  }
  const issuer = next === undefined ? undefined : readWhole(next, file);
  return issuer !== undefined && Buffer.compare(certificate.issuerDer, issuer.subjectDer) === 0 ? issuer : undefined;
}

function profileOf(certificate: Certificate): LintContext["profile"] {
  const value = valueOfExtension(certificate, extensionOids.basicConstraints);
  const constraints = value && readBasicConstraints(value);
  if (constraints?.ok !== true || !constraints.value.ca) return "leaf";
  return Buffer.compare(certificate.issuerDer, certificate.subjectDer) === 0 ? "root" : "issuing";
}

function contextOf(
  certificate: Certificate,
  issuer: Certificate | undefined,
  profile: LintContext["profile"],
): LintContext {
  const value = valueOfExtension(certificate, extensionOids.subjectAlternativeName);
  const read = value && readAlternativeNames(value);
  const names = read?.ok === true ? read.value : [];
  const subjectKeyKind = kindOf(certificate);
  const signer = issuer === undefined ? undefined : kindOf(issuer);
  return {
    profile,
    issuer: issuer === undefined || profile === "root" ? undefined : { body: issuer, keyKind: kindOf(issuer) },
    signerKeyKind: profile === "root" ? subjectKeyKind : (signer ?? signerOf(certificate)),
    subjectKeyKind,
    grantedSpkiDer: certificate.spkiDer,
    grantedId: names.flatMap((name) => (name.kind === "uri" ? [name.value] : []))[0],
    grantedDnsNames: names.flatMap((name) => (name.kind === "dns" ? [name.value] : [])),
    grantedIpAddresses: names.flatMap((name) => (name.kind === "ip" ? [name.bytes] : [])),
    grantedNotBeforeMillis: certificate.notBefore.millis,
    grantedNotAfterMillis: certificate.notAfter.millis,
  };
}

function valueOfExtension({ extensions }: Certificate, oid: string): Uint8Array | undefined {
  return extensions.find((extension) => extension.oid === oid)?.value;
}

/** A key of no known kind: a lint of its own says so, whatever stands here. */
function kindOf({ spkiDer }: Certificate): KeyKind {
  return SubjectPublicKey.of(spkiDer)?.kind ?? "P-256";
}

/** What the signature tells of an issuer that is not there. */
function signerOf({ signatureAlgorithmDer }: Certificate): KeyKind {
  const algorithm = signatureAlgorithmFrom(signatureAlgorithmDer);
  if (algorithm?.family === "RSA") return "RSA-2048";
  return algorithm?.digest === "sha384" ? "P-384" : "P-256";
}
