import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import type { SpiffeId } from "#identity/spiffe-id";
import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import { generateKey, type KeyPair } from "./generate-key.ts";

/** Identities with this path, and below it, are the authority's own. */
export const ownPath = "/garita";

/** The identity of the authority's doors. */
export function serverSpiffeId(trustDomain: string): string {
  return `spiffe://${trustDomain}${ownPath}/ca`;
}

/** Whoever had one of these could play the authority. */
export function isOwnId({ path }: SpiffeId): boolean {
  return path === ownPath || path.startsWith(`${ownPath}/`);
}

/** What the doors present. The key is plain: in memory alone, never written or logged. */
export interface ServerCertificate {
  /** Leaf, intermediates, and the root. */
  readonly certPem: string;
  readonly keyPem: string;
  readonly notAfterMillis: number;
}

/** Issues the certificate for a new key, recorded like any other. Rejects with what keeps it from being issued. */
export type IssueServerCertificate = (publicKey: SubjectPublicKey) => Promise<{
  /** PEM, leaf first, the root last. */
  readonly chainPem: readonly string[];
  readonly notBeforeMillis: number;
  readonly notAfterMillis: number;
}>;

export interface ServerCertificateSource {
  current(): ServerCertificate;
  /** Replaces key and certificate now, as after a change of the issuing authority. Rejects where that fails; the old ones stay, and it is tried again. */
  renew(): Promise<void>;
  /** Nothing is renewed any more; a renewal under way comes to nothing. */
  close(): void;
}

const firstRetryMillis = 1_000;
const longestRetryMillis = 5 * 60_000;
/** How often the clock is looked at: it may jump, and timers do not follow it. */
const longestWaitMillis = 60_000;

/**
 * The authority's server certificate, or another of its own, with a new P-256 key for each, renewed at half of its life, and when the clock has gone back before its beginning, for whoever
 * has the right time would refuse it; failures are tried again after 1 s, doubled up to 5
 * minutes, and the old one is kept meanwhile. Rejects when the first cannot be issued. `onRenewed` is called with each, the first included.
 */
export async function createServerCertificate(options: {
  readonly issue: IssueServerCertificate;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRenewed: (certificate: ServerCertificate) => void;
  /** What the log calls it; undefined: the server certificate. */
  readonly name?: string;
}): Promise<ServerCertificateSource> {
  const { issue, timers, clock, log, onRenewed, name = "the server certificate" } = options;
  let held = await issueForNewKey(issue);
  let closed = false;
  let cancel = () => {};
  let renewing: Promise<void> | undefined;
  let retryMillis = firstRetryMillis;

  const schedule = (delayMillis: number) => {
    cancel();
    if (!closed) cancel = timers.after(delayMillis, look);
  };
  const wait = () =>
    schedule(
      begun()
        ? Math.max(firstRetryMillis, Math.min(held.renewAtMillis - clock.nowMillis(), longestWaitMillis))
        : longestRetryMillis,
    );
  const begun = () => held.notBeforeMillis <= clock.nowMillis();
  const look = () => {
    if (begun() && clock.nowMillis() < held.renewAtMillis) return wait();
    // The failure is logged, and tried again.
    renew().catch(() => {});
  };
  const renewOnce = async () => {
    try {
      const next = await issueForNewKey(issue);
      if (closed) return;
      held = next;
      retryMillis = firstRetryMillis;
      onRenewed(held.certificate);
      wait();
    } catch (fault) {
      if (closed) return;
      const ended = clock.nowMillis() >= held.certificate.notAfterMillis;
      log[ended ? "error" : "warn"](
        { retryMillis, notAfter: new Date(held.certificate.notAfterMillis).toISOString(), reason: messageOf(fault) },
        ended ? `${name} has ended and could not be renewed` : `${name} was not renewed`,
      );
      schedule(retryMillis);
      retryMillis = Math.min(retryMillis * 2, longestRetryMillis);
      throw fault;
    } finally {
      renewing = undefined;
    }
  };
  const renew = () => {
    renewing ??= renewOnce();
    return renewing;
  };

  onRenewed(held.certificate);
  wait();
  return {
    current: () => held.certificate,
    renew,
    close() {
      closed = true;
      cancel();
    },
  };
}

interface Held {
  readonly certificate: ServerCertificate;
  readonly notBeforeMillis: number;
  readonly renewAtMillis: number;
}

async function issueForNewKey(issue: IssueServerCertificate): Promise<Held> {
  const { privateKey, publicKey }: KeyPair = await generateKey("P-256");
  const { chainPem, notBeforeMillis, notAfterMillis } = await issue(publicKey);
  return {
    certificate: {
      certPem: chainPem.join(""),
      keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      notAfterMillis,
    },
    notBeforeMillis,
    renewAtMillis: notBeforeMillis + (notAfterMillis - notBeforeMillis) / 2,
  };
}
