import type { CallMetadata, ListenerSettings } from "#authz/check/contract";
import type { CheckPeer } from "#authz/check/wire/check-request";
import { type Maybe, type PeerNames, UNKNOWN } from "#authz/engine/attributes";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { attributeNames, readBracketed } from "./call-metadata.ts";
import { readCertificate } from "./peer-certificate.ts";
import { sanitizeUtf8 } from "./sanitize-utf8.ts";

export interface PeerQuestion {
  readonly source: CheckPeer;
  readonly metadata: CallMetadata;
  readonly peerIdentity: ListenerSettings["peerIdentity"];
  /** Does this door carry `source.principal`? Then an empty one says that there is no certificate. */
  readonly principalTold: boolean;
}

/**
 * The names of the peer, if its certificate was verified: Envoy reports those of an unverified one alike.
 *
 * | listener's `peerIdentity` | issuer in the verified chain | then |
 * |---|---|---|
 * | `verified` | any | the names count |
 * | `none` | any | absent |
 * | unset | there | the names count |
 * | unset | empty or not sent, plaintext or no names | absent |
 * | unset | empty or not sent, a certificate is there | unknown |
 *
 * Unknown and not absent in the last row: a verified peer that resumes its TLS session looks the same, and a DENY rule that
 * names it must still hold.
 */
export function readPeer(question: PeerQuestion): Maybe<PeerNames> {
  const { metadata, peerIdentity } = question;
  if (peerIdentity === "none") return undefined;
  const names = readNames(question);
  if (peerIdentity === "verified" || names === undefined) return names;
  if (readBracketed(metadata.get(attributeNames.tls)) === undefined) return undefined;
  return typeof readBracketed(metadata.get(attributeNames.issuer)) === "string" ? names : UNKNOWN;
}

/** Names being collected in the order in which Envoy's RBAC tests them. */
interface Found {
  readonly names: ByteString[];
  readonly opaque: ByteString[];
  complete: boolean;
  /** The text that was found first: `source.principal` must agree with it. */
  first: { readonly text: ByteString; readonly opaque: boolean } | undefined;
  /** Could a name that we were not told stand before `first`? */
  firstSure: boolean;
}

/** Undefined: Envoy says that the peer has no name at all, as one without a certificate. */
function readNames({ source, metadata, principalTold }: PeerQuestion): Maybe<PeerNames> {
  const found = fromMetadata(source, metadata);
  if (!principalTold) {
    if (found.first !== undefined) return peerNames(found);
    return found.complete ? undefined : UNKNOWN;
  }
  const principal = source.principal;
  if (found.first === undefined && principal === "") return undefined;
  if (mayBeginWith(found, principal)) {
    if (!found.firstSure && !found.names.includes(principal)) found.names.unshift(principal);
    return peerNames(found);
  }
  // A value was altered or dropped on its way (spaces at an end): only the certificate can say what it was.
  const certificate = fromCertificate(source);
  if (certificate !== undefined && mayBeginWith(certificate, principal)) return peerNames(certificate);
  return { names: principal === "" ? [] : [principal], opaque: [], complete: false };
}

/** May `source.principal` (bytes that are not UTF-8 replaced by `!`) be the first of these names? */
function mayBeginWith(found: Found, principal: ByteString): boolean {
  if (principal === "") return false;
  if (!found.firstSure) return true;
  if (found.first === undefined) return false;
  const first = sanitizeUtf8(found.first.text);
  return first === principal || (found.first.opaque && first.startsWith(`${principal},`));
}

function fromMetadata(source: CheckPeer, metadata: CallMetadata): Found {
  const found = nothingFound();
  addList(found, readBracketed(metadata.get(attributeNames.uris)), () => readCertificate(source.certificate)?.uris);
  addList(found, readBracketed(metadata.get(attributeNames.dns)), () => readCertificate(source.certificate)?.dns);
  const subject = readBracketed(metadata.get(attributeNames.subject));
  addSubject(found, subject === UNKNOWN ? certificateSubject(source) : subject);
  return found;
}

function fromCertificate(source: CheckPeer): Found | undefined {
  const certificate = readCertificate(source.certificate);
  if (certificate === undefined) return undefined;
  const found = nothingFound();
  for (const name of certificate.uris) addName(found, name);
  for (const name of certificate.dns) addName(found, name);
  addSubject(found, certificate.subject);
  return found;
}

/**
 * A list that Envoy joined with commas. Without one it is one name. With one it may be several or a name that holds a comma,
 * and the certificate tells; without that it is one opaque text.
 */
function addList(found: Found, joined: Maybe<ByteString>, certified: () => readonly ByteString[] | undefined): void {
  if (joined === undefined) return;
  if (joined !== UNKNOWN && !joined.includes(",")) {
    addName(found, joined);
    return;
  }
  const names = certified();
  if (names !== undefined) {
    for (const name of names) addName(found, name);
  } else if (joined === UNKNOWN) {
    addUntold(found);
  } else {
    found.first ??= { text: joined, opaque: true };
    found.opaque.push(joined);
  }
}

function certificateSubject(source: CheckPeer): Maybe<ByteString> {
  const certificate = readCertificate(source.certificate);
  return certificate === undefined ? UNKNOWN : certificate.subject;
}

function addSubject(found: Found, subject: Maybe<ByteString>): void {
  if (subject === UNKNOWN) addUntold(found);
  else if (subject !== undefined) addName(found, subject);
}

function addName(found: Found, name: ByteString): void {
  if (name === "") return;
  found.first ??= { text: name, opaque: false };
  found.names.push(name);
}

function addUntold(found: Found): void {
  found.complete = false;
  if (found.first === undefined) found.firstSure = false;
}

function nothingFound(): Found {
  return { names: [], opaque: [], complete: true, first: undefined, firstSure: true };
}

function peerNames({ names, opaque, complete }: Found): PeerNames {
  return { names, opaque, complete };
}
