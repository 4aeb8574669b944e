import assert from "node:assert/strict";
import type {
  AuditShape,
  CertificateShape,
  CertificatesShape,
  StatusShape,
  TokensShape,
} from "#ca/transport/http/shapes";
import type { CaClient } from "#cli/ca/client";
import type { Fleet } from "./fleet.ts";

/** What the authority says that it has done. */
export interface Recorded {
  readonly certificates: readonly CertificateShape[];
  readonly abandoned: number;
  readonly status: StatusShape;
}

/**
 * Compares what the authority says with what the machines outside hold. Nothing is under way meanwhile. INVARIANT: every certificate that is held is on record, as issued; nothing is half done;
 * a token is used exactly when an issuance carries it, and never by two; the log is whole.
 */
export async function checkRecord(fleet: Fleet): Promise<Recorded> {
  const { admin } = fleet;
  const certificates = await allCertificates(admin);
  const bySerial = new Map(certificates.map((each) => [each.serial, each]));
  for (const { serial, fingerprint, spiffeId, tokenHash } of fleet.held) {
    const record = bySerial.get(serial);
    assert.deepEqual(
      [record?.state, record?.fingerprint, record?.spiffeId],
      ["issued", fingerprint, spiffeId],
      `held, and not on record: ${serial}`,
    );
    if (tokenHash !== undefined) assert.equal(record?.evidence, tokenHash);
  }
  for (const { serial, state, fingerprint } of certificates) {
    assert.ok(state === "issued" || state === "abandoned", `${serial} is ${state}`);
    assert.equal(fingerprint !== undefined, state === "issued", serial);
  }
  await checkTokens(fleet, certificates);
  const audit = (await admin.get("/v1/ca/audit")) as AuditShape;
  assert.deepEqual([audit.ok, audit.faults], [true, []]);
  const status = (await admin.get("/v1/ca/status")) as StatusShape;
  assert.equal(status.store.unfinished, 0);
  assert.equal(status.store.fault, undefined);
  assert.equal(status.store.issued, certificates.filter(({ state }) => state === "issued").length);
  const abandoned = certificates.filter(({ state }) => state === "abandoned").length;
  return { certificates, abandoned, status };
}

/** The list of tokens has the newest. */
const mostListed = 1_000;

async function checkTokens(fleet: Fleet, certificates: readonly CertificateShape[]): Promise<void> {
  const { tokens } = (await fleet.admin.get("/v1/ca/tokens", { limit: mostListed })) as TokensShape;
  const listed = new Map(tokens.map((each) => [each.hash, each]));
  const stillListed = new Set(fleet.tokens.slice(-mostListed));
  for (const made of fleet.tokens) {
    const { hash } = made;
    const issuances = certificates.filter(({ method, evidence }) => method === "join-token" && evidence === hash);
    assert.ok(issuances.length <= 1, "a token was used twice");
    assert.ok(fleet.held.filter(({ tokenHash }) => tokenHash === hash).length <= 1, "a token gave two certificates");
    if (!stillListed.has(made)) continue;
    const token = listed.get(hash);
    assert.ok(token !== undefined, "a token that was given out is not on record");
    assert.equal(token.used?.serial, issuances[0]?.serial, "a token is used exactly when an issuance carries it");
  }
}

async function allCertificates(admin: CaClient): Promise<readonly CertificateShape[]> {
  const all: CertificateShape[] = [];
  for (let after: string | undefined; ; ) {
    const page = (await admin.get("/v1/ca/certificates", { limit: 1000, after })) as CertificatesShape;
    all.push(...page.certificates);
    if (page.next === undefined) return all;
    after = page.next;
  }
}
