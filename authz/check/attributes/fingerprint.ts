import { hash } from "node:crypto";
import type { CallMetadata } from "#authz/check/contract";
import type { CheckPeer } from "#authz/check/wire/check-request";
import { type Maybe, UNKNOWN } from "#authz/engine/attributes";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { attributeNames, readBracketed } from "./call-metadata.ts";

/**
 * The SHA-256 of the certificate that the peer showed, hex in lower case: as Envoy was told to send it, else of the certificate in the check itself. Absent: Envoy
 * says that there is none. It counts whether or not the certificate was verified: the handshake has proved its key, and nobody makes another certificate with
 * the same digest. Never throws. PERF: the certificate is hashed (about 5 µs) only where the metadata does not bring the digest.
 */
export function readFingerprint(source: CheckPeer, metadata: CallMetadata): Maybe<string> {
  const told = readBracketed(metadata.get(attributeNames.fingerprint));
  if (typeof told === "string" && isFingerprint(told)) return told;
  const shown = source.certificate === "" ? undefined : hashCertificate(source.certificate);
  return shown ?? (told === undefined && source.certificate === "" ? undefined : UNKNOWN);
}

function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

const block = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n?$/;

/** Of a PEM block, percent-encoded as Envoy sends it. */
function hashCertificate(encoded: ByteString): string | undefined {
  try {
    const base64 = block.exec(decodeURIComponent(encoded))?.[1];
    return base64 === undefined ? undefined : hash("sha256", Buffer.from(base64, "base64"), "hex");
  } catch {
    // `decodeURIComponent` throws on what is no percent-encoding: then the certificate is not known.
    return undefined;
  }
}
