import type { CallMetadata } from "#authz/check/contract";
import type { CheckRequest } from "#authz/check/wire/check-request";
import { type Maybe, UNKNOWN } from "#authz/engine/attributes";
import { toAsciiLowerCase } from "#policy-compiler/ruleset/byte-string";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { attributeNames, readBracketed } from "./call-metadata.ts";

/**
 * Did Envoy terminate TLS on the connection? What it was told to send; else yes where a certificate, its name or an SNI shows
 * it; else unknown (`tls_session` is there on plaintext too).
 */
export function readTls(request: CheckRequest, metadata: CallMetadata): boolean | typeof UNKNOWN {
  const version = readBracketed(metadata.get(attributeNames.tls));
  if (version !== UNKNOWN) return version !== undefined;
  const { source, tlsSession } = request;
  return source.principal !== "" || source.certificate !== "" || (tlsSession?.sni ?? "") !== "" ? true : UNKNOWN;
}

/**
 * The server name that the client asked for, in lower case (ASCII): from the TLS session, where one without a name says that
 * there is none; else, for a connection, from `destination.service`; else unknown.
 */
export function readSni(request: CheckRequest): Maybe<ByteString> {
  const { tlsSession, destination, http } = request;
  if (tlsSession !== undefined) return tlsSession.sni === "" ? undefined : toAsciiLowerCase(tlsSession.sni);
  return http === undefined && destination.service !== "" ? toAsciiLowerCase(destination.service) : UNKNOWN;
}
