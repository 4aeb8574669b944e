import type { AuthorityStatus } from "#ca/authorities/contract";
import type { RegistrationEntry } from "#ca/registration/contract";
import type { AuthorityStatusPage, DryRunAnswer } from "#ca/service/contract";
import type { AuditHead, Explanation, IssuanceRecord, JoinTokenRecord, Revocation } from "#ca/store/contract";
import { writePem } from "#ca/x509/pem";
import type { StreamStatus } from "#xds/contract";
import type {
  AuditHeadShape,
  AuthorityShape,
  CertificateShape,
  EntryShape,
  ExplanationShape,
  RevocationShape,
  StatusShape,
  StreamShape,
  TokenShape,
  TriedShape,
} from "./shapes.ts";

/** What the authority remembers, as the JSON door shows it. Each copies what its shape names and nothing else. */

export function renderTime(millis: number): string {
  return new Date(millis).toISOString();
}

/** The member, or none: an absent value is left out of JSON, and `undefined` is no value of a shape. */
function member<Name extends string, Value, Shown>(
  name: Name,
  value: Value | undefined,
  show: (value: Value) => Shown,
): { readonly [Key in Name]?: Shown } {
  return value === undefined ? {} : ({ [name]: show(value) } as { readonly [Key in Name]?: Shown });
}

const same = <Value>(value: Value): Value => value;

export function renderAuthority(authority: AuthorityStatus): AuthorityShape {
  const { role, keyId, keyKind, state, slot, subject, keyHeld } = authority;
  const notBefore = renderTime(authority.notBeforeMillis);
  const notAfter = renderTime(authority.notAfterMillis);
  return { role, keyId, keyKind, state, ...member("slot", slot, same), subject, notBefore, notAfter, keyHeld };
}

function renderHead({ number, hash, atMillis, generation, auditKeyId }: AuditHead): AuditHeadShape {
  return { number, hash, at: renderTime(atMillis), generation, auditKeyId };
}

export function renderStatus(page: AuthorityStatusPage): StatusShape {
  const { store } = page;
  return {
    trustDomain: page.trustDomain,
    authorities: page.authorities.map(renderAuthority),
    bundle: { sequence: page.bundle.sequence, anchors: page.bundle.anchors, version: page.bundle.version },
    rotation: {
      ...member("state", page.rotation.state, same),
      stragglers: page.rotation.stragglers,
      ...member("firstBreak", page.rotation.firstBreakMillis, renderTime),
    },
    store: {
      schemaVersion: store.schemaVersion,
      generation: store.generation,
      entries: store.entries,
      lastHash: store.lastHash,
      lastAt: renderTime(store.lastAtMillis),
      ...member("lastHead", store.lastHead, renderHead),
      issued: store.issued,
      unfinished: store.unfinished,
      sizeBytes: store.sizeBytes,
      ...member("fault", store.fault, same),
    },
    registrations: page.registrations,
    ...member("serverCertificateNotAfter", page.serverCertificateNotAfterMillis, renderTime),
    issuedSinceStart: page.issuedSinceStart,
    refusedSinceStart: page.refusedSinceStart,
    streams: {
      open: page.streams.open,
      bundle: { taken: page.streams.bundle.taken, acknowledged: page.streams.bundle.acknowledged },
      listed: page.streams.listed.map(renderStream),
    },
    warnings: page.warnings,
  };
}

function renderStream(stream: StreamStatus): StreamShape {
  const { id, typeUrl, variant, caller, node, leftOut } = stream;
  return {
    id,
    typeUrl,
    variant,
    spiffeId: caller,
    ...member("fingerprint", stream.fingerprint, same),
    node,
    since: renderTime(stream.sinceMillis),
    names: stream.names.map(({ name, sent, acknowledged, acknowledgedAtMillis, rejected }) => ({
      name,
      ...member("sent", sent, same),
      ...member("acknowledged", acknowledged, same),
      ...member("acknowledgedAt", acknowledgedAtMillis, renderTime),
      ...member("rejected", rejected, ({ version, message, atMillis }) => ({
        version,
        message,
        at: renderTime(atMillis),
      })),
    })),
    leftOut,
  };
}

export function renderRevocation({ target, atMillis, by, reason }: Revocation): RevocationShape {
  return { ...renderTarget(target), at: renderTime(atMillis), by, reason };
}

function renderTarget(target: Revocation["target"]): Pick<RevocationShape, "serial" | "fingerprint" | "spiffeId"> {
  switch (target.kind) {
    case "serial":
      return { serial: target.serialHex };
    case "fingerprint":
      return { fingerprint: target.fingerprint };
    case "identity":
      return { spiffeId: target.spiffeId };
  }
}

/** Without the certificate itself. */
export function renderRecord(record: IssuanceRecord): CertificateShape {
  return {
    serial: record.serialHex,
    spiffeId: record.spiffeId,
    state: record.state,
    notBefore: renderTime(record.notBeforeMillis),
    notAfter: renderTime(record.notAfterMillis),
    dnsNames: record.dnsNames,
    keyKind: record.keyKind,
    spkiHash: record.spkiHash,
    issuerKeyId: record.issuerKeyId,
    requestId: record.requestId,
    requestedAt: renderTime(record.atMillis),
    csrHash: record.csrHash,
    method: record.method,
    caller: record.caller,
    evidence: record.evidence,
    ...member("registration", record.registration, same),
    nameMismatch: record.nameMismatch,
    ...member("fingerprint", record.fingerprint, same),
    ...member("revoked", record.revoked, renderRevocation),
  };
}

export function renderWholeRecord(record: IssuanceRecord): CertificateShape {
  return {
    ...renderRecord(record),
    ...member("certificate", record.certificateDer, (der) => writePem("CERTIFICATE", der)),
  };
}

export function renderExplanation({ id, atMillis, code, door, remoteAddress, steps }: Explanation): ExplanationShape {
  return { id, at: renderTime(atMillis), code, door, ...member("remoteAddress", remoteAddress, same), steps };
}

export function renderToken(token: JoinTokenRecord): TokenShape {
  const { hash, spiffeId, createdBy, sourceCidrs } = token;
  return {
    hash,
    spiffeId,
    created: renderTime(token.createdMillis),
    expires: renderTime(token.expiresMillis),
    createdBy,
    sourceCidrs,
    ...member("used", token.used, ({ atMillis, serialHex, remoteAddress }) => ({
      at: renderTime(atMillis),
      serial: serialHex,
      ...member("remoteAddress", remoteAddress, same),
    })),
  };
}

export function renderEntry(entry: RegistrationEntry): EntryShape {
  const { name, source, spiffeId, callers, dnsNames, keyKinds } = entry;
  return {
    name,
    source: { file: source.file, line: source.line },
    spiffeId,
    callers: callers.map((caller) => ({ ...caller })),
    dnsNames,
    keyKinds,
    ...member("ttlSeconds", entry.ttlSeconds, same),
    ...member("maxTtlSeconds", entry.maxTtlSeconds, same),
  };
}

export function renderTried({ steps, certificatePem, findings }: DryRunAnswer): TriedShape {
  return { steps, ...member("certificate", certificatePem, same), findings };
}
