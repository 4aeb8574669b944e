import type { KeyObject } from "node:crypto";
import type { AuthorityRecord } from "#ca/store/contract";
import { sameBytes } from "#ca/x509/bytes";
import { CodedError } from "#platform/coded-error";
import { type AuditKey, auditKeyId, auditKeyOf } from "./audit-key.ts";
import { type AuthorityCertificate, isSelfIssued, readAuthorityDer } from "./authority-certificate.ts";
import type { IssuingAuthority } from "./contract.ts";
import { findPath } from "./find-path.ts";
import { createIssuingAuthority, fitsCertificate } from "./issuing-authority.ts";
import type { KeyEncryptionKey } from "./key-encryption-key.ts";
import { openKey } from "./key-envelope.ts";

/** An authority as it is kept, read again and found to be whole. */
export interface LoadedAuthority {
  readonly record: AuthorityRecord;
  readonly authority: AuthorityCertificate;
  readonly chain: readonly AuthorityCertificate[];
  /** Of issuing authorities, unless they are retired: from its own certificate up to its root. */
  readonly path: readonly AuthorityCertificate[];
  /** Of the prepared and the active ones that sign leaves. */
  readonly issuing: IssuingAuthority | undefined;
}

export interface LoadedAuditKey {
  readonly record: AuthorityRecord;
  /** Undefined for one that is not active. */
  readonly auditKey: AuditKey | undefined;
}

/** Everything that the store holds of authorities, in the order of their making. */
export interface LoadedAuthorities {
  readonly roots: readonly LoadedAuthority[];
  readonly issuing: readonly LoadedAuthority[];
  readonly auditKeys: readonly LoadedAuditKey[];
}

/** Is it a trust anchor: a root, or an issuing authority that is its own root? */
export function isAnchor({ record, authority }: LoadedAuthority): boolean {
  return record.role === "root" || isSelfIssued(authority.certificate);
}

/**
 * Reads the records, opens every key that is not retired, and checks that all belongs together: certificates may sign, key ids are theirs, keys fit,
 * issuing authorities lead to a root that is kept, and no two of a role are active. All or nothing. Root keys are opened to see that they do, and not kept.
 * Fails with `ca-authority/damaged`, `ca-authority/key-mismatch`, `ca-authority/two-active`, or as `openKey` does. What `before` holds of the same record is
 * taken from there, without opening keys again.
 */
export async function loadAuthorities(
  records: readonly AuthorityRecord[],
  keyEncryptionKey: KeyEncryptionKey,
  before?: LoadedAuthorities,
): Promise<LoadedAuthorities> {
  const sorted = [...records].sort((a, b) => a.createdMillis - b.createdMillis);
  const ofRole = (role: AuthorityRecord["role"]) => sorted.filter((record) => record.role === role);
  for (const role of ["root", "issuing", "audit"] as const) demandOneActive(role, ofRole(role));
  const known = new Map(
    [...(before?.roots ?? []), ...(before?.issuing ?? [])].map((each) => [each.record.keyId, each]),
  );
  const roots: LoadedAuthority[] = [];
  for (const record of ofRole("root"))
    roots.push(unchanged(known.get(record.keyId), record) ?? (await loadRoot(record, keyEncryptionKey)));
  const issuing: LoadedAuthority[] = [];
  for (const record of ofRole("issuing"))
    issuing.push(unchanged(known.get(record.keyId), record) ?? (await loadIssuing(record, roots, keyEncryptionKey)));
  const auditKeys: LoadedAuditKey[] = [];
  for (const record of ofRole("audit")) {
    const held = before?.auditKeys.find((each) => equalRecords(each.record, record));
    auditKeys.push(held ?? (await loadAuditKey(record, keyEncryptionKey)));
  }
  return { roots, issuing, auditKeys };
}

function demandOneActive(role: AuthorityRecord["role"], records: readonly AuthorityRecord[]): void {
  const active = records.filter(({ state }) => state === "active");
  if (active.length > 1)
    throw new CodedError(
      "ca-authority/two-active",
      `${active.length} ${role} keys are active at once: ${active.map(({ keyId }) => `\`${keyId}\``).join(", ")}`,
    );
}

async function loadRoot(record: AuthorityRecord, keyEncryptionKey: KeyEncryptionKey): Promise<LoadedAuthority> {
  const { authority, chain } = readRecord(record);
  await openFitting(record, authority, keyEncryptionKey);
  return { record, authority, chain, path: [authority], issuing: undefined };
}

async function loadIssuing(
  record: AuthorityRecord,
  roots: readonly LoadedAuthority[],
  keyEncryptionKey: KeyEncryptionKey,
): Promise<LoadedAuthority> {
  const { authority, chain } = readRecord(record);
  // One that is retiring may outlive its root's record; one that signs may not.
  const trusted = roots.filter((root) => record.state === "retiring" || root.record.state !== "retired");
  const anchors = trusted.map((root) => root.authority);
  if (record.state === "retired") return { record, authority, chain, path: [], issuing: undefined };
  const found = findPath(authority, chain, isSelfIssued(authority.certificate) ? [authority] : anchors);
  if (!found.ok) throw damaged(record, found.message);
  const privateKey = await openFitting(record, authority, keyEncryptionKey);
  const signs = privateKey !== undefined && (record.state === "prepared" || record.state === "active");
  const issuing = signs ? createIssuingAuthority(found.path, privateKey) : undefined;
  return { record, authority, chain, path: found.path, issuing };
}

async function loadAuditKey(record: AuthorityRecord, keyEncryptionKey: KeyEncryptionKey): Promise<LoadedAuditKey> {
  if (auditKeyId(record.certificateDer) !== record.keyId) throw damaged(record, "its id is not that of its key");
  if (record.state !== "active" || record.encryptedKey === undefined) return { record, auditKey: undefined };
  const auditKey = auditKeyOf(await openKey(record.encryptedKey, record, keyEncryptionKey));
  if (auditKey.keyId !== record.keyId) throw mismatched(record);
  return { record, auditKey };
}

function readRecord(record: AuthorityRecord): Pick<LoadedAuthority, "authority" | "chain"> {
  const [authority, ...chain] = [record.certificateDer, ...record.chainDer].map((der) => {
    const read = readAuthorityDer(der);
    if (!read.ok) throw damaged(record, `a certificate of it ${read.message}`);
    return read.authority;
  });
  if (authority!.keyId !== record.keyId) throw damaged(record, "its id is not the subject key id of its certificate");
  if (authority!.publicKey.kind !== record.keyKind) throw damaged(record, "its certificate has a key of another kind");
  return { authority: authority!, chain };
}

async function openFitting(
  record: AuthorityRecord,
  authority: AuthorityCertificate,
  keyEncryptionKey: KeyEncryptionKey,
): Promise<KeyObject | undefined> {
  if (record.encryptedKey === undefined || record.state === "retired") return undefined;
  const key = await openKey(record.encryptedKey, record, keyEncryptionKey);
  if (!fitsCertificate(key, authority)) throw mismatched(record);
  return key;
}

function unchanged(known: LoadedAuthority | undefined, record: AuthorityRecord): LoadedAuthority | undefined {
  return known !== undefined && equalRecords(known.record, record) ? known : undefined;
}

function equalRecords(a: AuthorityRecord, b: AuthorityRecord): boolean {
  return (
    a.keyId === b.keyId &&
    a.role === b.role &&
    a.state === b.state &&
    a.stateMillis === b.stateMillis &&
    a.slot === b.slot &&
    sameBytes(a.certificateDer, b.certificateDer) &&
    a.chainDer.length === b.chainDer.length &&
    a.chainDer.every((der, i) => sameBytes(der, b.chainDer[i]!)) &&
    sameBytes(a.encryptedKey ?? new Uint8Array(), b.encryptedKey ?? new Uint8Array())
  );
}

function damaged(record: AuthorityRecord, message: string): CodedError {
  return new CodedError(
    "ca-authority/damaged",
    `the ${record.role} authority \`${record.keyId}\` is damaged: ${message}`,
  );
}

function mismatched(record: AuthorityRecord): CodedError {
  return new CodedError(
    "ca-authority/key-mismatch",
    `the private key of the ${record.role} authority \`${record.keyId}\` does not belong to its certificate`,
  );
}
