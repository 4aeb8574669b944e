import { generateKey } from "#ca/authorities/generate-key";
import type { Credentials } from "#ca/callers/contract";
import { buildCsr } from "#ca/csr/build-csr";
import type { IssueCertificate, IssuedAnswer } from "#ca/issuance/contract";
import { writePem } from "#ca/x509/pem";
import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";

/** A key that the authority made for a caller, and its certificates. In memory alone, never written or logged. */
export interface CallerKey {
  /** Leaf and intermediates. */
  readonly chainPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyDer: Uint8Array;
}

/** Somebody who has the key of an identity while the stream is open. */
export interface KeyHolder {
  readonly spiffeId: string;
  /** Asked with: the authority looks at them as at anybody's. */
  readonly credentials: Credentials;
  /** Called after another key came. */
  readonly changed: () => void;
}

export interface HeldKey {
  /** Undefined: it is being made, or is refused. */
  current(): CallerKey | undefined;
  /** Lets go. The last one to do so ends the key. */
  release(): void;
}

export interface CallerKeys {
  hold(holder: KeyHolder): HeldKey;
  /** Replaces keys at once whose certificate leads to a root that nobody trusts any more. */
  lookAtRoots(): void;
}

export interface CallerKeysParts {
  readonly issue: IssueCertificate;
  /** The root of what is issued now; undefined: nothing is. */
  readonly root: () => Uint8Array | undefined;
  readonly isTrusted: (rootDer: Uint8Array) => boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  /** From 0 up to 1. */
  readonly chance: () => number;
  readonly log: Log;
}

const firstRetryMillis = 1_000;
const longestRetryMillis = 5 * 60_000;
/** How often the clock is looked at: it may jump, and timers do not follow it. */
const longestWaitMillis = 60_000;
/** Of a life, around its half: what was issued in one moment does not come back in one. */
const jitter = 0.01;

/**
 * Keys that the authority makes for callers that want them from it: one an identity, a new one for each certificate, at half of the life of the one before, and forgotten with
 * the last that holds it. The certificate is asked for by the one way that there is, with what a holder brought. A refusal is tried again after 1 s, doubled up to 5 minutes; the
 * key before stays meanwhile.
 */
export function createCallerKeys(parts: CallerKeysParts): CallerKeys {
  const kept = new Map<string, KeptKey>();
  return {
    hold(holder) {
      const key = kept.get(holder.spiffeId) ?? new KeptKey(holder.spiffeId, parts);
      kept.set(holder.spiffeId, key);
      key.add(holder);
      return {
        current: () => key.current,
        release() {
          if (!key.remove(holder)) return;
          kept.delete(holder.spiffeId);
        },
      };
    },
    lookAtRoots() {
      for (const key of kept.values()) key.lookAtRoot();
    },
  };
}

/** The key of one identity, for as long as somebody holds it. */
class KeptKey {
  readonly #spiffeId: string;
  readonly #parts: CallerKeysParts;
  readonly #holders = new Set<KeyHolder>();
  #current: CallerKey | undefined;
  #root: Uint8Array | undefined;
  #begunMillis = 0;
  #renewAtMillis = 0;
  #retryMillis = firstRetryMillis;
  #renewing = false;
  #cancel = () => {};

  constructor(spiffeId: string, parts: CallerKeysParts) {
    this.#spiffeId = spiffeId;
    this.#parts = parts;
  }

  get current(): CallerKey | undefined {
    return this.#current;
  }

  add(holder: KeyHolder): void {
    this.#holders.add(holder);
    // What was refused to the others may be given to this one.
    if (this.#current === undefined) void this.#renew();
  }

  /** True: nobody holds it any more. */
  remove(holder: KeyHolder): boolean {
    if (!this.#holders.delete(holder) || this.#holders.size > 0) return false;
    this.#cancel();
    return true;
  }

  lookAtRoot(): void {
    if (this.#root !== undefined && !this.#parts.isTrusted(this.#root)) void this.#renew();
  }

  #look(): void {
    const nowMillis = this.#parts.clock.nowMillis();
    if (nowMillis >= this.#begunMillis && nowMillis < this.#renewAtMillis) this.#wait();
    else void this.#renew();
  }

  #wait(): void {
    const leftMillis = this.#renewAtMillis - this.#parts.clock.nowMillis();
    this.#schedule(Math.max(firstRetryMillis, Math.min(leftMillis, longestWaitMillis)));
  }

  #schedule(delayMillis: number): void {
    this.#cancel();
    if (this.#holders.size > 0) this.#cancel = this.#parts.timers.after(delayMillis, () => this.#look());
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const refused = await this.#ask().catch((defect: unknown) => ({ reason: messageOf(defect), waitMillis: 0 }));
    this.#renewing = false;
    if (this.#holders.size === 0) return;
    if (refused === undefined) {
      this.#retryMillis = firstRetryMillis;
      this.#wait();
      return;
    }
    const retryMillis = Math.max(this.#retryMillis, refused.waitMillis);
    const fields = { spiffeId: this.#spiffeId, reason: refused.reason, retryMillis };
    this.#parts.log.warn(fields, "a caller's key was not made");
    this.#retryMillis = Math.min(this.#retryMillis * 2, longestRetryMillis);
    this.#renewAtMillis = 0;
    this.#schedule(retryMillis);
  }

  /** Undefined: there is another key now. */
  async #ask(): Promise<{ readonly reason: string; readonly waitMillis: number } | undefined> {
    const { privateKey, publicKey } = await generateKey("P-256");
    // The last that came has the certificate that ends last, most likely.
    const holder = [...this.#holders].at(-1);
    if (holder === undefined) return undefined;
    const { issue, root } = this.#parts;
    const asked = root();
    const answer = await issue({
      csrPem: writePem("CERTIFICATE REQUEST", buildCsr(privateKey, this.#spiffeId)),
      ttlSeconds: undefined,
      spiffeId: this.#spiffeId,
      credentials: holder.credentials,
      door: "sds",
      certSigner: undefined,
      impersonatedIdentity: undefined,
    });
    if (!answer.ok)
      return {
        reason: `${answer.code}, explanation ${answer.explanationId}`,
        waitMillis: answer.retryAfterMillis ?? 0,
      };
    this.#root = asked;
    this.#keepTimes(answer);
    this.#current = Object.freeze({
      // The last element has the roots.
      chainPem: answer.chain.slice(0, -1).join(""),
      keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      publicKeyDer: publicKey.spkiDer,
    });
    for (const each of this.#holders) each.changed();
    return undefined;
  }

  #keepTimes({ notBeforeMillis, notAfterMillis }: IssuedAnswer): void {
    const share = 0.5 + jitter * (2 * this.#parts.chance() - 1);
    this.#begunMillis = notBeforeMillis;
    this.#renewAtMillis = notBeforeMillis + (notAfterMillis - notBeforeMillis) * share;
  }
}
