import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type TLSSocket } from "node:tls";
import { CodedError, messageOf } from "./coded-error.ts";

/** Where a server's TLS material lies, and who may connect. */
export interface TlsFiles {
  /** PEM: the server's certificate, then its intermediates. */
  readonly certificateFile: string;
  /** PEM. */
  readonly keyFile: string;
  /** PEM: authorities of client certificates. Present: a client must show a certificate of theirs. */
  readonly clientCaFile?: string;
  /** Subject alternative names, one of which a client's certificate must carry. Absent: any client of the authorities. */
  readonly allowedClients?: readonly string[];
}

/** Material that was read and found to fit together. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer | undefined;
  readonly allowedClients: ReadonlySet<string> | undefined;
  /** From when to when the server's certificate counts, in milliseconds since the epoch. */
  readonly notBeforeMillis: number;
  readonly notAfterMillis: number;
}

/** The files of `TlsFiles`, for those who watch them. */
export function tlsPaths(files: TlsFiles): string[] {
  return [files.certificateFile, files.keyFile, ...(files.clientCaFile === undefined ? [] : [files.clientCaFile])];
}

/**
 * Reads the files and proves that they can be used: the certificate parses, the key belongs to it, the authorities parse. Fails
 * with `tls/unreadable` or `tls/unusable`, which name the file.
 */
export async function loadTlsMaterial(files: TlsFiles): Promise<TlsMaterial> {
  // ORDER: one after the other, so that of several faults the same one is told each time.
  const cert = await read(files.certificateFile);
  const key = await read(files.keyFile);
  const ca = files.clientCaFile === undefined ? undefined : await read(files.clientCaFile);
  const leaf = parseCertificate(cert, files.certificateFile);
  if (ca !== undefined) parseCertificate(ca, files.clientCaFile!);
  try {
    createSecureContext({ cert, key, ...(ca === undefined ? {} : { ca }) });
  } catch (cause) {
    const names = `\`${files.certificateFile}\` and \`${files.keyFile}\``;
    throw new CodedError("tls/unusable", `the certificate and key ${names} cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
  return {
    cert,
    key,
    ca,
    allowedClients: files.allowedClients === undefined ? undefined : new Set(files.allowedClients),
    notBeforeMillis: leaf.validFromDate.getTime(),
    notAfterMillis: leaf.validToDate.getTime(),
  };
}

/** Options for `tls.createServer` and `setSecureContext`. TLS 1.2 is the oldest version that is spoken. */
export function secureContextOptions(material: TlsMaterial) {
  return {
    cert: material.cert,
    key: material.key,
    minVersion: "TLSv1.2" as const,
    ...(material.ca === undefined ? {} : { ca: material.ca }),
  };
}

/**
 * Why a connected client may not stay; undefined when it may. A client without a certificate of the authorities does not get
 * this far: the handshake refused it.
 */
export function clientFault(material: TlsMaterial, socket: TLSSocket): string | undefined {
  if (material.ca === undefined || material.allowedClients === undefined) return undefined;
  // A resumed session brings no certificate in raw form on every version; without names there is nothing to allow.
  const names = subjectNames(socket.getPeerX509Certificate()?.subjectAltName);
  if (names.some((name) => material.allowedClients?.has(name))) return undefined;
  return `client certificate with the names [${names.join(", ")}] is not among the allowed clients`;
}

/**
 * The URI and DNS names of a certificate's `subjectAltName` text. INVARIANT: a name that OpenSSL had to quote is left out: quotes
 * are how a name with a comma inside is told from two names, and no name that we allow needs them.
 */
export function subjectNames(text: string | undefined): string[] {
  if (text === undefined) return [];
  const names: string[] = [];
  let rest = text;
  while (rest !== "") {
    const quoted = /^[A-Za-z ]+:"(?:[^"\\]|\\.)*"(?:, |$)/.exec(rest);
    const plain = quoted === null ? /^([A-Za-z ]+):([^,"]*)(?:, |$)/.exec(rest) : null;
    const part = quoted ?? plain;
    if (part === null) return [];
    if (plain !== null && (plain[1] === "URI" || plain[1] === "DNS")) names.push(plain[2]!);
    rest = rest.slice(part[0].length);
  }
  return names;
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new CodedError("tls/unreadable", `cannot read \`${path}\`: ${messageOf(cause)}`, { cause });
  }
}

function parseCertificate(pem: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CodedError("tls/unusable", `\`${path}\` holds no certificate: ${messageOf(cause)}`, { cause });
  }
}
