import { createHash } from "node:crypto";
import type { Authorities } from "#ca/authorities/authorities";
import { isOwnId, type ServerCertificate } from "#ca/authorities/server-certificate";
import { bundleVersion } from "#ca/bundle/build-bundle";
import type { AdminAnswer } from "#ca/callers/admin-role";
import type { Credentials } from "#ca/callers/contract";
import { createJoinToken } from "#ca/callers/create-join-token";
import type { IssueCertificate } from "#ca/issuance/contract";
import type { InForce } from "#ca/issuance/decide-grant";
import type { RegistrationEntry } from "#ca/registration/contract";
import { matchEntries } from "#ca/registration/match-entries";
import type { RunningRotation } from "#ca/rotation/root-rotation";
import type { AuditReport, AuthorityService, AuthorityStatusPage, TokenWanted } from "#ca/service/contract";
import { headBytes } from "#ca/store/chain";
import { verifyChain } from "#ca/store/verify-chain";
import { quote } from "#identity/encoding/quote";
import { parseSpiffeId } from "#identity/spiffe-id";
import { CodedError, messageOf } from "#platform/coded-error";
import { checkReason } from "./check-revocation.ts";
import { dryRun } from "./dry-run.ts";
import type { AuthorityParts } from "./open-authority.ts";
import { revoke } from "./revoke.ts";
import type { Revoked } from "./revoked.ts";
import { streamsStatus } from "./streams-status.ts";

export interface AuthorityServiceParts
  extends Pick<
    AuthorityParts,
    | "store"
    | "trustDomain"
    | "clock"
    | "registrations"
    | "configuration"
    | "randomBytes"
    | "log"
    | "exportedHead"
    | "streams"
    | "discoveryStreams"
  > {
  readonly authorities: Authorities;
  readonly rotation: RunningRotation;
  readonly issue: IssueCertificate;
  readonly revoked: Revoked;
  readonly roleOf: (credentials: Credentials, nowMillis: number) => Promise<AdminAnswer>;
  readonly latestRecordMillis: () => number;
  /** Why nothing can be issued now, in sentences. */
  readonly hindrances: () => readonly string[];
  readonly counts: { readonly issued: number; readonly refused: number };
  readonly serverCertificate: () => ServerCertificate | undefined;
  /** Signs the log as it is, and exports the head. */
  readonly sealHead: () => Promise<void>;
  /** After another issuing authority has become active. */
  readonly onRotated: () => Promise<void> | undefined;
}

/** What the doors call. */
export function createAuthorityService(parts: AuthorityServiceParts): AuthorityService {
  const { store, authorities, rotation, revoked, clock, log } = parts;
  const { nowMillis } = clock;
  const inForce = (): InForce => ({
    authorities: authorities.current(),
    registrations: parts.registrations().index,
    settings: parts.configuration().issuance,
    keyPolicy: parts.configuration().keyPolicy,
    isIdentityRevoked: revoked.isIdentityRevoked,
    nowMillis: nowMillis(),
    latestRecordMillis: parts.latestRecordMillis(),
    chance: 0,
  });
  let auditing: Promise<AuditReport> | undefined;
  const audit = async (): Promise<AuditReport> => {
    const exported = await parts.exportedHead();
    return verifyChain({
      source: store,
      verifyHead: (head) => authorities.verifyAudit(head.auditKeyId, headBytes(head), head.signature),
      exportedHeads: exported === undefined ? [] : [exported],
      nowMillis: nowMillis(),
    });
  };
  return {
    issue: parts.issue,
    bundle: () => authorities.current().bundle,
    roleOf: (credentials) => parts.roleOf(credentials, nowMillis()),
    status: async () => ({ ...summaryOf(parts), store: await store.status() }),
    dryRun: (request) => dryRun(inForce(), request, parts.randomBytes),
    certificates: (query) => store.issuances(query),
    certificate: (serialHex) => store.issuance(serialHex),
    explanation: (id) => store.explanation(id),
    createToken: (wanted, by) => createToken(parts, wanted, by),
    tokens: (limit) => store.joinTokens(limit),
    revoke: (target, reason, by) => revoke({ ...parts, nowMillis }, target, reason, by),
    revocations: () => store.revocations(),
    entries: () => parts.registrations().entries,
    auditReport() {
      // The whole log is read: whoever asks meanwhile gets the answer that is on its way.
      auditing ??= audit().finally(() => {
        auditing = undefined;
      });
      return auditing;
    },
    async rotateIssuer(by) {
      const status = await authorities.rotateIssuer(by);
      // The old certificate is good until it ends: a renewal that fails is tried again by itself.
      await parts
        .onRotated()
        ?.catch((fault: unknown) => log.warn({ reason: messageOf(fault) }, "the server certificate was not renewed"));
      return status;
    },
    root: {
      rotate: rotation.rotate,
      status: rotation.status,
      abort: rotation.abort,
      async waive(spiffeId, reason, by) {
        checkReason(reason);
        return rotation.waive(spiffeId, reason, by);
      },
      plan: rotation.plan,
      force: rotation.force,
      forecast: rotation.forecast,
    },
    async backup(file) {
      await store.backup(file);
      try {
        // An entry that the backup does not have, and a head that vouches for it: put in place by hand, without `restore`, it is found out.
        await store.recordEvent({ kind: "backed-up", atMillis: nowMillis(), body: { file } });
        await parts.sealHead();
      } catch (fault) {
        log.warn({ file, reason: messageOf(fault) }, "the backup is whole, and could not be noted in the log");
      }
    },
  };
}

/** What the status page tells without asking the store. */
export function summaryOf(
  parts: Pick<
    AuthorityServiceParts,
    | "trustDomain"
    | "authorities"
    | "rotation"
    | "registrations"
    | "serverCertificate"
    | "counts"
    | "hindrances"
    | "streams"
    | "discoveryStreams"
  >,
): Omit<AuthorityStatusPage, "store"> {
  const { authorities, counts } = parts;
  const { bundle } = authorities.current();
  const version = bundleVersion(bundle);
  const rotation = parts.rotation.summary();
  return {
    trustDomain: parts.trustDomain,
    authorities: authorities.status(),
    bundle: { sequence: bundle.sequence, anchors: bundle.anchors.length, version },
    rotation,
    registrations: parts.registrations().entries.length,
    serverCertificateNotAfterMillis: parts.serverCertificate()?.notAfterMillis,
    issuedSinceStart: counts.issued,
    refusedSinceStart: counts.refused,
    streams: streamsStatus(parts.discoveryStreams?.() ?? [], parts.streams?.() ?? [], version),
    warnings: [...parts.hindrances(), ...foreignEntries(parts), ...authorities.warnings(), ...rotation.warnings],
  };
}

/** Registrations of another trust domain give nothing here: the folder's `mesh.yaml` and `ca.trustDomain` say different things. */
function foreignEntries({
  trustDomain,
  registrations,
}: Pick<AuthorityServiceParts, "trustDomain" | "registrations">): readonly string[] {
  const own = `spiffe://${trustDomain}/`;
  const isForeign = ({ spiffeId: [first] }: RegistrationEntry) => first?.kind !== "text" || !first.text.startsWith(own);
  const foreign = registrations().entries.filter(isForeign);
  if (foreign.length === 0) return [];
  const count = `${foreign.length} registration${foreign.length === 1 ? " is" : "s are"}`;
  return [
    `${count} of another trust domain than \`ca.trustDomain\` (${trustDomain}), as ${foreign[0]!.name}: they give nothing`,
  ];
}

async function createToken(
  { store, authorities, registrations, revoked, randomBytes, clock, trustDomain }: AuthorityServiceParts,
  { spiffeId, ttlSeconds, sourceCidrs }: TokenWanted,
  by: string,
): Promise<{ readonly token: string; readonly expiresMillis: number }> {
  const parsed = parseSpiffeId(spiffeId);
  if (!parsed.ok || parsed.id.trustDomain !== trustDomain || isOwnId(parsed.id))
    throw new CodedError(
      "ca-token/identity",
      `expected the SPIFFE ID of a workload of ${quote(trustDomain)}, found ${quote(spiffeId)}`,
    );
  const wouldBe = { method: "join-token", id: parsed.id, tokenHash: "" } as const;
  if (matchEntries(registrations().index, wouldBe, undefined).length === 0)
    throw new CodedError(
      "ca-token/identity",
      `no registration gives ${quote(spiffeId)} to a join token (\`joinToken: {}\`)`,
    );
  if (revoked.isIdentityRevoked(spiffeId))
    throw new CodedError("ca-token/identity", `${quote(spiffeId)} is revoked: a token could not be used`);
  const { issuing } = authorities.current();
  if (issuing === undefined) throw new CodedError("ca-authority/none", "there is no root to bind a token to");
  const { token, record } = createJoinToken({
    random: randomBytes,
    rootFingerprint: createHash("sha256").update(issuing.root.der).digest("hex"),
    spiffeId: parsed.id,
    ttlSeconds,
    createdBy: by,
    sourceCidrs,
    nowMillis: clock.nowMillis(),
  });
  await store.addJoinToken(record);
  return { token, expiresMillis: record.expiresMillis };
}
