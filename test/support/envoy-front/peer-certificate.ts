import { createHash, generateKeyPairSync, sign } from "node:crypto";
import * as der from "./der.ts";
import type { PeerCertificateNames } from "./downstream.ts";

/** A peer's certificate and what Envoy's formatters print of it. Texts are byte strings. */
export interface PeerCertificate {
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  /** RFC 2253, empty for an empty subject. */
  readonly subject: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  /** First URI SAN, else first DNS SAN, else the subject. */
  readonly principal: string;
  /** Percent-encoded PEM, final newline included: `source.certificate` of a CheckRequest. */
  readonly encoded: string;
}

const made = new Map<string, PeerCertificate>();
let keyPair: ReturnType<typeof makeKeyPair> | undefined;

/**
 * A real, self-signed certificate with these names: a P-256 key, URI and DNS SANs in order, the subject one common name.
 * Made once per list of names; the key is made anew in every run.
 */
export function peerCertificate(names: PeerCertificateNames): PeerCertificate {
  const key = JSON.stringify([names.uriSans, names.dnsSans, names.subject]);
  let certificate = made.get(key);
  if (certificate === undefined) {
    certificate = make(names);
    made.set(key, certificate);
  }
  return certificate;
}

function make(names: PeerCertificateNames): PeerCertificate {
  const bytes = encode(names);
  const base64 = Buffer.from(bytes)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  const pem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  const subject = names.subject === undefined ? "" : `CN=${escapeRdn(names.subject)}`;
  return {
    uriSans: names.uriSans,
    dnsSans: names.dnsSans,
    subject,
    fingerprint: createHash("sha256").update(bytes).digest("hex"),
    principal: names.uriSans[0] ?? names.dnsSans[0] ?? subject,
    encoded: pem.replace(/[ \n+/=]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`),
  };
}

/** RFC 5280 §4.1. */
function encode(names: PeerCertificateNames): Uint8Array {
  keyPair ??= makeKeyPair();
  const algorithm = der.sequence(der.oid("1.2.840.10045.4.3.2"));
  const subject =
    names.subject === undefined
      ? der.sequence()
      : der.sequence(der.set(der.sequence(der.oid("2.5.4.3"), der.utf8(latin1(names.subject)))));
  const sans = [
    ...names.uriSans.map((uri) => der.tagged(6, false, latin1(uri))),
    ...names.dnsSans.map((dns) => der.tagged(2, false, latin1(dns))),
  ];
  const alternativeNames = der.sequence(
    der.oid("2.5.29.17"),
    // RFC 5280 §4.2.1.6: critical where the subject is empty.
    ...(names.subject === undefined ? [der.truth(true)] : []),
    der.octets(der.sequence(...sans)),
  );
  const certificate = der.sequence(
    der.tagged(0, true, der.integer(2)),
    der.integer(made.size + 1),
    algorithm,
    subject,
    der.sequence(der.time("20260101000000Z"), der.time("20560101000000Z")),
    subject,
    keyPair.spki,
    ...(sans.length === 0 ? [] : [der.tagged(3, true, der.sequence(alternativeNames))]),
  );
  return der.sequence(certificate, algorithm, der.bits(sign("sha256", certificate, keyPair.privateKey)));
}

function makeKeyPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey, spki: publicKey.export({ type: "spki", format: "der" }) };
}

/** RFC 2253 §2.4, as OpenSSL prints it: control characters and every byte beyond ASCII in hex. */
function escapeRdn(value: string): string {
  return value
    .replace(/[,+"\\<>;]|^[ #]| $/g, "\\$&")
    .replace(/[^ -~]/g, (byte) => `\\${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
