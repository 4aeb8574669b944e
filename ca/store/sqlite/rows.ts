import type { SQLOutputValue } from "node:sqlite";
import type {
  AuditEntry,
  AuditHead,
  AuthorityRecord,
  CertificateInUse,
  IssuanceRecord,
  IssuanceState,
  JoinTokenRecord,
  Revocation,
  RootWaiver,
} from "#ca/store/contract";
import { CodedError } from "#platform/coded-error";

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** `state` of a row of issuances is the place in this list. */
export const issuanceStates: readonly IssuanceState[] = ["intended", "issued", "abandoned"];

/** A row of issuances with its certificate. The store wrote it: types are as the schema says, but what texts hold is not trusted. */
export function issuanceOf(row: Row, revoked: Revocation | undefined): IssuanceRecord {
  const der = row["der"];
  return {
    requestId: text(row, "request_id"),
    atMillis: number(row, "at_millis"),
    serialHex: text(row, "serial"),
    spiffeId: text(row, "spiffe_id"),
    dnsNames: texts(row, "dns_names"),
    keyKind: text(row, "key_kind") as IssuanceRecord["keyKind"],
    spkiHash: text(row, "spki_hash"),
    notBeforeMillis: number(row, "not_before_millis"),
    notAfterMillis: number(row, "not_after_millis"),
    issuerKeyId: text(row, "issuer_key_id"),
    csrHash: text(row, "csr_hash"),
    method: text(row, "method"),
    caller: text(row, "caller"),
    evidence: text(row, "evidence"),
    registration: optionalText(row, "registration"),
    nameMismatch: texts(row, "name_mismatch"),
    bundleSequence: optionalNumber(row, "bundle_sequence"),
    state: issuanceStates[number(row, "state")] ?? damaged("state"),
    fingerprint: optionalText(row, "fingerprint"),
    certificateDer: der instanceof Uint8Array ? der : undefined,
    revoked,
  };
}

export function tokenOf(row: Row): JoinTokenRecord {
  return {
    hash: text(row, "hash"),
    spiffeId: text(row, "spiffe_id"),
    createdMillis: number(row, "created_millis"),
    expiresMillis: number(row, "expires_millis"),
    createdBy: text(row, "created_by"),
    sourceCidrs: texts(row, "source_cidrs"),
    used: useOf(row),
  };
}

function useOf(row: Row): JoinTokenRecord["used"] {
  if (row["used_millis"] === null) {
    return row["used_serial"] === null && row["used_from"] === null ? undefined : damaged("used_millis");
  }
  return {
    atMillis: number(row, "used_millis"),
    serialHex: text(row, "used_serial"),
    remoteAddress: optionalText(row, "used_from"),
  };
}

export function revocationOf(row: Row): Revocation {
  const value = text(row, "value");
  return {
    target: targetOf(text(row, "target"), value),
    atMillis: number(row, "at_millis"),
    by: text(row, "by"),
    reason: text(row, "reason"),
  };
}

function targetOf(kind: string, value: string): Revocation["target"] {
  if (kind === "serial") return { kind, serialHex: value };
  if (kind === "fingerprint") return { kind, fingerprint: value };
  return kind === "identity" ? { kind, spiffeId: value } : damaged("target");
}

export function authorityOf(row: Row, chainDer: readonly Uint8Array[]): AuthorityRecord {
  const encryptedKey = row["encrypted_key"];
  return {
    keyId: text(row, "key_id"),
    role: text(row, "role") as AuthorityRecord["role"],
    state: text(row, "state") as AuthorityRecord["state"],
    stateMillis: number(row, "state_millis"),
    slot: optionalText(row, "slot") as AuthorityRecord["slot"],
    keyKind: text(row, "key_kind") as AuthorityRecord["keyKind"],
    certificateDer: bytes(row, "certificate"),
    chainDer,
    encryptedKey: encryptedKey instanceof Uint8Array ? encryptedKey : undefined,
    createdMillis: number(row, "created_millis"),
  };
}

export function inUseOf(row: Row): CertificateInUse {
  return {
    number: number(row, "number"),
    serialHex: text(row, "serial"),
    spiffeId: text(row, "spiffe_id"),
    spkiHash: text(row, "spki_hash"),
    fingerprint: optionalText(row, "fingerprint"),
    atMillis: number(row, "at_millis"),
    notAfterMillis: number(row, "not_after_millis"),
    issuerKeyId: text(row, "issuer_key_id"),
    method: text(row, "method"),
    evidence: text(row, "evidence"),
    bundleSequence: optionalNumber(row, "bundle_sequence"),
  };
}

export function rootWaiverOf(row: Row): RootWaiver {
  return {
    rootKeyId: text(row, "root_key_id"),
    spiffeId: text(row, "spiffe_id"),
    atMillis: number(row, "at_millis"),
    by: text(row, "by"),
    reason: text(row, "reason"),
  };
}

export function entryOf(row: Row): AuditEntry {
  const canonical = text(row, "canonical");
  return {
    number: number(row, "number"),
    atMillis: number(row, "at_millis"),
    kind: text(row, "kind") as AuditEntry["kind"],
    canonical,
    hash: text(row, "hash"),
    previous: previousIn(canonical),
  };
}

export function headOf(row: Row): AuditHead {
  return {
    number: number(row, "number"),
    hash: text(row, "hash"),
    atMillis: number(row, "at_millis"),
    generation: number(row, "generation"),
    auditKeyId: text(row, "audit_key_id"),
    signature: bytes(row, "signature"),
  };
}

/** `previous` is the last member of an entry's text. Whatever else stands there, `bodyOfEntry` finds that it does not fit. */
function previousIn(canonical: string): string {
  return /"previous":"([0-9a-f]{64})"\}$/.exec(canonical)?.[1] ?? "";
}

function text(row: Row, name: string): string {
  const value = row[name];
  return typeof value === "string" ? value : damaged(name);
}

function optionalText(row: Row, name: string): string | undefined {
  return row[name] === null ? undefined : text(row, name);
}

function number(row: Row, name: string): number {
  const value = row[name];
  return typeof value === "number" ? value : damaged(name);
}

function optionalNumber(row: Row, name: string): number | undefined {
  return row[name] === null ? undefined : number(row, name);
}

function bytes(row: Row, name: string): Uint8Array {
  const value = row[name];
  return value instanceof Uint8Array ? value : damaged(name);
}

function texts(row: Row, name: string): readonly string[] {
  try {
    const json = text(row, name);
    const value: unknown = JSON.parse(json);
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    if (isList && JSON.stringify(value) === json) return value;
  } catch {
    // Told below, with the column's name.
  }
  return damaged(name);
}

function damaged(name: string): never {
  throw new CodedError("ca-store/damaged", `a row of the database holds something else than a \`${name}\``);
}
