import { hash } from "node:crypto";
import { signatureAlgorithmFrom } from "#ca/x509/algorithms";
import type { Certificate, GeneralName, Read } from "#ca/x509/contract";
import { oidOf, readDer } from "#ca/x509/der";
import { renderName } from "#ca/x509/name";
import {
  extensionOids,
  readAlternativeNames,
  readAuthorityKeyId,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readSubjectKeyId,
} from "#ca/x509/read-extensions";
import { parseSpiffeId } from "#identity/spiffe-id";
import { stampText } from "../duration.ts";
import { type DescribedKey, describeKey } from "./describe-key.ts";
import { ipText } from "./ip-text.ts";

/** A certificate at a glance. Hex is lower case, times are RFC 3339. Undefined: not there, or not to be read (then `odd` says so). */
export interface DescribedCertificate {
  readonly kind: "certificate";
  readonly role: "leaf" | "intermediate authority" | "self-issued authority";
  readonly spiffeId: string | undefined;
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly key: DescribedKey;
  readonly signature: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly state: "not yet valid" | "valid" | "ended";
  /** Every name, in its order: `URI:…`, `DNS:…`, `IP:…`. */
  readonly names: readonly string[];
  readonly keyUsage: readonly string[] | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly pathLength: number | undefined;
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** What should make one look twice. Lints (`garita ca lint`) are stricter. */
  readonly odd: readonly string[];
}

const daySeconds = 86_400;
/** Istio's limit for workloads. */
const longestLeafMillis = 90 * daySeconds * 1000;

const purposes: ReadonlyMap<string, string> = new Map([
  ["1.3.6.1.5.5.7.3.1", "server"],
  ["1.3.6.1.5.5.7.3.2", "client"],
  ["2.5.29.37.0", "any"],
]);

/** Tells what a certificate says. Nothing is verified. */
export function describeCertificate(certificate: Certificate, nowMillis: number): DescribedCertificate {
  const odd: string[] = [];
  const extension = <T>(oid: string, name: string, read: (value: Uint8Array) => Read<T>): T | undefined => {
    const found = certificate.extensions.filter((each) => each.oid === oid);
    if (found.length > 1) odd.push(`${name} stands there ${found.length} times`);
    if (found[0] === undefined) return undefined;
    const value = read(found[0].value);
    if (!value.ok) odd.push(`${name} cannot be read: ${value.fault.message}`);
    return value.ok ? value.value : undefined;
  };
  const names = extension(extensionOids.subjectAlternativeName, "the alternative name", readAlternativeNames) ?? [];
  const usage = extension(extensionOids.keyUsage, "the key usage", readKeyUsage);
  const extended = extension(extensionOids.extendedKeyUsage, "the extended key usage", readExtendedKeyUsage);
  const constraints = extension(extensionOids.basicConstraints, "the basic constraints", readBasicConstraints);
  const subjectKeyId = extension(extensionOids.subjectKeyId, "the subject key id", readSubjectKeyId);
  const authorityKeyId = extension(extensionOids.authorityKeyId, "the authority key id", readAuthorityKeyId);
  const isAuthority = constraints?.ca === true;
  const selfIssued = equal(certificate.issuerDer, certificate.subjectDer);
  const key = describeKey(certificate.spkiDer);
  const times = { begin: certificate.notBefore.millis, end: certificate.notAfter.millis };
  odd.push(
    ...[
      ...nameOddities(names, isAuthority),
      ...unknownCritical(certificate),
      certificate.version === 3 ? undefined : `version ${certificate.version}, not 3`,
      key.taken ? undefined : "a key that the authority does not take",
      !isAuthority && key.kind === "P-384"
        ? "a P-384 key: Envoys before 1.33 cannot use it, later ones with TLS 1.3 alone"
        : undefined,
      signatureAlgorithmFrom(certificate.signatureAlgorithmDer) === undefined
        ? "a signature algorithm that is not taken"
        : undefined,
      equal(certificate.signatureAlgorithmDer, certificate.outerAlgorithmDer)
        ? undefined
        : "the signed part names another algorithm than the signature",
      isAuthority && usage?.names.includes("keyCertSign") !== true
        ? "an authority that may not sign certificates"
        : undefined,
      !isAuthority && usage?.names.includes("keyCertSign") === true
        ? "no authority, but may sign certificates"
        : undefined,
      subjectKeyId === undefined && isAuthority ? "an authority without a subject key id" : undefined,
      isAuthority || times.end - times.begin <= longestLeafMillis + 3600_000
        ? undefined
        : `lives for ${Math.round((times.end - times.begin) / 1000 / daySeconds)} days`,
      times.end < times.begin ? "ends before it begins" : undefined,
      serialOddity(certificate.serial),
    ].filter((each) => each !== undefined),
  );
  return {
    kind: "certificate",
    role: isAuthority ? (selfIssued ? "self-issued authority" : "intermediate authority") : "leaf",
    spiffeId: spiffeIdOf(names),
    subject: renderName(certificate.subjectDer),
    issuer: renderName(certificate.issuerDer),
    serial: hex(certificate.serial),
    key,
    signature: algorithmName(certificate.signatureAlgorithmDer),
    notBefore: stampText(times.begin),
    notAfter: stampText(times.end),
    state: nowMillis < times.begin ? "not yet valid" : nowMillis > times.end ? "ended" : "valid",
    names: names.map(nameText),
    keyUsage: usage?.names,
    extendedKeyUsage: extended?.map((oid) => purposes.get(oid) ?? oid),
    pathLength: constraints?.pathLength,
    subjectKeyId: subjectKeyId && hex(subjectKeyId),
    authorityKeyId: authorityKeyId && hex(authorityKeyId),
    fingerprint: hash("sha256", certificate.der, "hex"),
    odd,
  };
}

/** `URI:spiffe://…`, `DNS:…`, `IP:10.0.0.1`. */
export function nameText(name: GeneralName): string {
  if (name.kind === "ip") return `IP:${ipText(name.bytes)}`;
  if (name.kind === "other") return `other name [${name.tag & 0x1f}]`;
  return `${{ uri: "URI", dns: "DNS", email: "email" }[name.kind]}:${name.value}`;
}

/** The one URI, if it is a SPIFFE ID (X509-SVID §2: no more than one URI). */
export function spiffeIdOf(names: readonly GeneralName[]): string | undefined {
  const [uri, ...more] = urisOf(names);
  return uri !== undefined && more.length === 0 && parseSpiffeId(uri).ok ? uri : undefined;
}

/** The algorithm of a signature by its name, or dotted. */
export function algorithmName(algorithmDer: Uint8Array): string {
  const known = signatureAlgorithmFrom(algorithmDer);
  if (known !== undefined) return known.name;
  const read = readDer(algorithmDer, { sizeBytes: 4096, depth: 8 });
  const type = read.ok ? read.value.parts[0] : undefined;
  return (type && oidOf(type)) ?? "unreadable";
}

function nameOddities(names: readonly GeneralName[], isAuthority: boolean): (string | undefined)[] {
  const uris = urisOf(names);
  if (uris.length > 1) return [`${uris.length} URIs: no SPIFFE certificate has more than one`];
  const [uri] = uris;
  if (uri === undefined) return [isAuthority ? undefined : "no SPIFFE ID"];
  const parsed = parseSpiffeId(uri);
  if (!parsed.ok) return [`the URI is no SPIFFE ID: ${parsed.fault}`];
  if (isAuthority) return [parsed.id.path === "" ? undefined : "an authority with the SPIFFE ID of a workload"];
  return [parsed.id.path === "" ? "a workload with the SPIFFE ID of a trust domain" : undefined];
}

function urisOf(names: readonly GeneralName[]): string[] {
  return names.flatMap((name) => (name.kind === "uri" ? [name.value] : []));
}

const knownOids: ReadonlySet<string> = new Set(Object.values(extensionOids));

function unknownCritical({ extensions }: Certificate): string[] {
  return extensions
    .filter(({ oid, critical }) => critical && !knownOids.has(oid))
    .map(({ oid }) => `the critical extension ${oid}, which nobody here knows`);
}

/** RFC 5280 §4.1.2.2. */
function serialOddity(serial: Uint8Array): string | undefined {
  if (serial.every((byte) => byte === 0) || serial[0]! >= 0x80) return "a serial number that is not positive";
  if (serial.length > 20) return `a serial number of ${serial.length} bytes`;
  return serial.length < 8 ? "a serial number that can be guessed" : undefined;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
