import { type Authorities, openAuthorities } from "#ca/authorities/authorities";
import type { AuthoritySet } from "#ca/authorities/contract";
import type { KeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import {
  createServerCertificate,
  type ServerCertificate,
  type ServerCertificateSource,
} from "#ca/authorities/server-certificate";
import { parseServerNames } from "#ca/authorities/server-names";
import type { AuthoritySettings } from "#ca/authorities/settings";
import { type Admin, createRoleOf } from "#ca/callers/admin-role";
import { createAuthenticateCaller } from "#ca/callers/authenticate-caller";
import { createClientCertificateMethod } from "#ca/callers/client-certificate";
import { createEndedCertificateMethod } from "#ca/callers/ended-certificate";
import { createJoinTokenMethod } from "#ca/callers/join-token";
import { createTokenMethod, type TokenMethodParts } from "#ca/callers/token";
import type { KeyPolicy } from "#ca/csr/key-policy";
import type { DenyListPublisher } from "#ca/deny-list/publish-deny-list";
import { createAbandonments } from "#ca/issuance/abandonments";
import { earliestIssuanceMillis } from "#ca/issuance/earliest-issuance";
import { createIssueCertificate, type ObservedOutcome } from "#ca/issuance/issue-certificate";
import type { IssuanceSettings } from "#ca/issuance/settings";
import { type AdmissionSettings, createAdmission } from "#ca/limits/admission";
import { type CallRates, createCallLimits } from "#ca/limits/call-limits";
import type { Registrations } from "#ca/registration/build-registrations";
import type { RegistrationEntry } from "#ca/registration/contract";
import type { BundleStream, RotationSettings } from "#ca/rotation/contract";
import { createRootRotation, type RunningRotation } from "#ca/rotation/root-rotation";
import { defaultRotationSettings } from "#ca/rotation/settings";
import type { AuthorityService, AuthorityStatusPage } from "#ca/service/contract";
import type { AuditHead, CaStore } from "#ca/store/contract";
import { createHeadSealer } from "#ca/store/seal-heads";
import { extensionOids, readAlternativeNames } from "#ca/x509/read-extensions";
import { verifySvid } from "#ca/x509/verify-svid";
import { quote } from "#identity/encoding/quote";
import type { Clock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import { createRandomPool } from "#platform/random-pool";
import type { Timers } from "#platform/timers";
import type { StreamStatus } from "#xds/contract";
import { createAuthorityService, summaryOf } from "./authority-service.ts";
import { createIssueServerCertificate, type ServerCertificateParts } from "./issue-server-certificate.ts";
import { openDenyList } from "./open-deny-list.ts";
import { createRevoked, type Revoked } from "./revoked.ts";

/** What the configuration says; asked anew for each request, so that another one counts from the next on. */
export interface AuthorityConfiguration {
  readonly issuance: IssuanceSettings;
  readonly admins: readonly Admin[];
  readonly rates: CallRates;
  readonly admission: AdmissionSettings;
  readonly keyPolicy: KeyPolicy;
}

/** What an authority is put together from. */
export interface AuthorityParts {
  readonly trustDomain: string;
  readonly store: CaStore;
  readonly keyEncryptionKey: KeyEncryptionKey;
  readonly authoritySettings: AuthoritySettings;
  /** Absent: the defaults. */
  readonly rotationSettings?: RotationSettings;
  /** Everybody who has the bundle by a stream now; absent: nobody has. */
  readonly streams?: () => readonly BundleStream[];
  readonly configuration: () => AuthorityConfiguration;
  /** DNS names and addresses of the doors; empty: there is no server certificate. */
  readonly serverNames: readonly string[];
  /** Those of the rules in force: a request asks once. */
  readonly registrations: () => { readonly entries: readonly RegistrationEntry[]; readonly index: Registrations };
  /** Keys of the issuers of tokens, and what verifies with them. */
  readonly tokens: Omit<TokenMethodParts, "leewaySeconds">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomBytes: (sizeBytes: number) => Uint8Array;
  readonly nextId: () => string;
  readonly nextTurn: (run: () => void) => void;
  readonly log: Log;
  /** For metrics. */
  readonly onOutcome: (outcome: ObservedOutcome) => void;
  /** Takes signed heads of the audit log out of the store. */
  readonly exportHead: (head: AuditHead) => Promise<void>;
  /** The head that was last exported, for the audit. */
  readonly exportedHead: () => Promise<AuditHead | undefined>;
  /** Streams of the doors, for the status page. */
  readonly discoveryStreams?: () => readonly StreamStatus[];
  /** Heard for every server certificate, the first included. */
  readonly onServerCertificate: (certificate: ServerCertificate) => void;
}

/** An authority that runs. */
export interface RunningAuthority {
  readonly service: AuthorityService;
  readonly authorities: Authorities;
  /** What is revoked, for decisions here and elsewhere. */
  readonly denyList: DenyListPublisher;
  /** Who a client certificate proves: for doors whose calls last. */
  readonly clientCertificate: ReturnType<typeof createClientCertificateMethod>;
  readonly revoked: Revoked;
  readonly rotation: RunningRotation;
  /** The status page without what the store knows. */
  summary(): Omit<AuthorityStatusPage, "store">;
  /** Undefined without server names. */
  readonly serverCertificate: ServerCertificate | undefined;
  /** Is an authority active, can records be kept, and is the clock not behind them? */
  serving(): boolean;
  /** The last head is sealed; the store is left open. */
  stop(): Promise<void>;
}

/**
 * Puts the authority together: its keys and certificates out of the store, who may call, the one way to a certificate, its own server certificate, and the sealing of
 * its log. An issuing authority that is due is renewed first. Fails with `ca-authority/none` for a store without an authority, with `ca-server/certificate`, and as
 * `openAuthorities` and the store do.
 */
export async function openAuthority(parts: AuthorityParts): Promise<RunningAuthority> {
  const { store, trustDomain, clock, timers, log, randomBytes, configuration } = parts;
  const authorities = await openAuthorities({
    store,
    keyEncryptionKey: parts.keyEncryptionKey,
    trustDomain,
    settings: parts.authoritySettings,
    clock,
    timers,
    random: randomBytes,
    log,
  });
  const auditKey = authorities.auditKey();
  if (authorities.current().issuing === undefined || auditKey === undefined) {
    authorities.close();
    throw new CodedError(
      "ca-authority/none",
      "the store holds no authority yet: `garita ca init` makes or imports one",
    );
  }
  const stops: (() => void | Promise<void>)[] = [() => authorities.close()];
  try {
    checkTrustDomain(authorities.current(), trustDomain);
    // ORDER: before anything is issued: whoever was away for long may find the issuing authority ended, and could not even open its doors.
    await authorities.lookAfter();
    const revoked = await createRevoked(store);
    const bundle = () => authorities.current().bundle;
    const onDefect = (defect: unknown) =>
      log.error(
        { fault: messageOf(defect), stack: defect instanceof Error ? defect.stack : undefined },
        "a credential could not be looked at",
      );
    const svidParts = { verifySvid, bundle, isRevoked: revoked.isRevoked };
    const clientCertificate = createClientCertificateMethod(svidParts);
    const authenticate = createAuthenticateCaller({
      clientCertificate,
      endedCertificate: createEndedCertificateMethod({
        ...svidParts,
        graceSeconds: () => configuration().issuance.renewalGraceSeconds,
      }),
      token: createTokenMethod(parts.tokens),
      joinToken: createJoinTokenMethod({ store, trustDomain }),
      onDefect,
    });
    const { monotonicMillis, nowMillis } = clock;
    const limits = createCallLimits({ rates: () => configuration().rates, monotonicMillis, random: randomBytes });
    const admission = createAdmission({
      settings: () => configuration().admission,
      monotonicMillis,
      nextTurn: parts.nextTurn,
    });
    const first = await store.status();
    let latestRecordMillis = first.lastAtMillis;
    const counts = { issued: 0, refused: 0 };
    const settings = () => configuration().issuance;
    const abandonments = createAbandonments({ store, nowMillis, timers, log });
    stops.push(() => abandonments.stop());
    // Serial numbers, and by how much a lifetime is shortened.
    const publicNumbers = createRandomPool(randomBytes);
    const certifyParts = {
      store,
      admission,
      abandonments,
      nowMillis,
      randomBytes: publicNumbers,
      nextId: parts.nextId,
    };
    const issue = createIssueCertificate({
      ...certifyParts,
      authenticate,
      registrations: () => parts.registrations().index,
      authorities: authorities.current,
      keyPolicy: () => configuration().keyPolicy,
      limits,
      settings,
      isIdentityRevoked: revoked.isIdentityRevoked,
      latestRecordMillis: () => latestRecordMillis,
      chance: () => Buffer.from(publicNumbers(4)).readUInt32BE() / 2 ** 32,
      monotonicMillis,
      log,
      onOutcome(outcome) {
        if (outcome.result === "issued") {
          counts.issued++;
          latestRecordMillis = Math.max(latestRecordMillis, nowMillis());
        } else counts.refused++;
        parts.onOutcome(outcome);
      },
    });

    const sealer = createHeadSealer({
      store,
      sign: auditKey.sign,
      auditKeyId: auditKey.keyId,
      nowMillis,
      timers,
      log,
      exportHead: parts.exportHead,
    });
    stops.push(() => sealer.stop());
    const serverSource = await startServerCertificate(parts, authorities, { ...certifyParts, settings });
    if (serverSource !== undefined) stops.push(() => serverSource.close());
    const denyList = openDenyList({
      ...parts,
      authorities,
      certifyParts: { ...certifyParts, settings },
      revoked,
      generation: first.generation,
    });
    stops.push(denyList.close);

    const rotation = createRootRotation({
      authorities,
      store,
      streams: parts.streams ?? (() => []),
      settings: parts.rotationSettings ?? defaultRotationSettings,
      clock,
      timers,
      log,
      onActivated() {
        // The old certificate is good until its root is removed: a renewal that fails is tried again by itself.
        serverSource?.renew().catch((fault: unknown) => {
          log.warn({ reason: messageOf(fault) }, "the server certificate was not renewed");
        });
      },
    });
    stops.push(() => rotation.close());
    await rotation.lookAfter().catch((fault: unknown) => {
      log.warn({ reason: messageOf(fault) }, "the replacement of the root cannot go on");
    });

    const hindrances = () => {
      const fault = store.fault();
      const earliestMillis = earliestIssuanceMillis(latestRecordMillis, authorities.current().issuing);
      return [
        ...(fault === undefined ? [] : [`nothing can be issued, for no record can be kept: ${fault}`]),
        ...(nowMillis() < earliestMillis
          ? [`nothing can be issued before ${new Date(earliestMillis).toISOString()}: the clock is behind the records`]
          : []),
      ];
    };
    const serviceParts = {
      ...parts,
      hindrances,
      sealHead: () => sealer.seal(),
      authorities,
      rotation,
      issue,
      revoked,
      roleOf: createRoleOf({ admins: () => configuration().admins, clientCertificate, onDefect }),
      latestRecordMillis: () => latestRecordMillis,
      counts,
      serverCertificate: () => serverSource?.current(),
      onRotated: () => serverSource?.renew(),
    };
    return {
      service: createAuthorityService(serviceParts),
      authorities,
      denyList: denyList.publisher,
      clientCertificate,
      revoked,
      rotation,
      summary: () => summaryOf(serviceParts),
      get serverCertificate() {
        return serverSource?.current();
      },
      serving: () => authorities.current().issuing !== undefined && hindrances().length === 0,
      async stop() {
        for (const stop of stops.splice(0).reverse()) await stop();
      },
    };
  } catch (fault) {
    for (const stop of stops.reverse()) await stop();
    throw fault;
  }
}

/** A store of another trust domain has authorities that no certificate of this one can come from. An imported authority may name none. */
function checkTrustDomain({ issuing }: AuthoritySet, trustDomain: string): void {
  const names = issuing?.certificate.extensions.find(({ oid }) => oid === extensionOids.subjectAlternativeName);
  const read = names === undefined ? undefined : readAlternativeNames(names.value);
  const uris = read?.ok === true ? read.value.flatMap((name) => (name.kind === "uri" ? [name.value] : [])) : [];
  const other = uris.find((uri) => uri !== `spiffe://${trustDomain}`);
  if (other === undefined) return;
  const message = `the authority of the store is ${quote(other)}, and \`ca.trustDomain\` is ${quote(trustDomain)}: a trust domain has a store of its own`;
  throw new CodedError("ca-authority/other-domain", message);
}

async function startServerCertificate(
  { serverNames, timers, clock, log, onServerCertificate }: AuthorityParts,
  authorities: Authorities,
  certifyParts: Omit<ServerCertificateParts, "authorities" | "names" | "spiffeId">,
): Promise<ServerCertificateSource | undefined> {
  if (serverNames.length === 0) return undefined;
  const names = parseServerNames(serverNames);
  return createServerCertificate({
    issue: createIssueServerCertificate({ ...certifyParts, authorities: authorities.current, names }),
    timers,
    clock,
    log,
    onRenewed: onServerCertificate,
  });
}
