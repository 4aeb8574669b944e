import { headBytes } from "#ca/store/chain";
import type { AuditHead, CaStore } from "#ca/store/contract";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";

/** How often the log is looked at. */
const lookMillis = 1_000;

export interface HeadSealerOptions {
  readonly store: Pick<CaStore, "status" | "addAuditHead">;
  /** Ed25519 with the audit key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  readonly auditKeyId: string;
  readonly nowMillis: () => number;
  readonly timers: Timers;
  readonly log: Log;
  /** Takes the newest head out of the store: into a file, to another machine. Heads are handed over one after the other. */
  readonly exportHead: (head: AuditHead) => Promise<void>;
  /** Seal when so many entries came since the last head. */
  readonly everyEntries?: number;
  /** Seal when this has passed since the last head and something came. */
  readonly everyMillis?: number;
}

export interface HeadSealer {
  /** Seals what is there now, if something came since the last head. Rejects where the store, the key or the export fails. */
  seal(): Promise<void>;
  /** Seals a last time; afterwards nothing is. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Signs heads of the audit log (H.6): within a second after every `everyEntries` entries (1,000), and every `everyMillis` (a minute) in which something was written, at once when it is
 * begun. A head that could not be sealed is tried again a second later.
 */
export function createHeadSealer(options: HeadSealerOptions): HeadSealer {
  const { everyEntries = 1_000, everyMillis = 60_000, nowMillis, timers, log } = options;
  let sealedUpTo: number | undefined;
  let sealedAtMillis = Number.NEGATIVE_INFINITY;
  let running: Promise<void> = Promise.resolve();
  let failing = false;
  let stopped = false;
  let cancel: () => void = () => {};

  const sealIf = async (due: (entriesSince: number) => boolean) => {
    const status = await options.store.status();
    // What was sealed before but perhaps not exported is sealed anew by the first head.
    const since = sealedUpTo === undefined ? status.entries : status.entries - sealedUpTo;
    if (since === 0 || !due(since)) return;
    const head = await signed(options, {
      number: status.entries,
      hash: status.lastHash,
      atMillis: nowMillis(),
      generation: status.generation,
      auditKeyId: options.auditKeyId,
    });
    await options.store.addAuditHead(head);
    await options.exportHead(head);
    sealedUpTo = head.number;
    sealedAtMillis = nowMillis();
    const { signature, ...members } = head;
    log.info({ head: { ...members, signature: Buffer.from(signature).toString("base64") } }, "audit head");
  };
  /** One after the other, whoever asks. */
  const next = (due: (entriesSince: number) => boolean) => {
    const run = running.then(() => sealIf(due));
    running = run.catch(() => {});
    return run;
  };
  const isDue = (since: number) => since >= everyEntries || Math.abs(nowMillis() - sealedAtMillis) >= everyMillis;
  const look = async () => {
    try {
      await next(isDue);
      failing = false;
    } catch (fault) {
      if (!failing) log.error({ fault: messageOf(fault) }, "the audit log cannot be sealed");
      failing = true;
    }
    if (!stopped) cancel = timers.after(lookMillis, look);
  };
  void look();

  return {
    seal: () => next(() => true),
    async stop() {
      stopped = true;
      cancel();
      await next(() => true).catch((fault: unknown) => {
        log.error({ fault: messageOf(fault) }, "the audit log cannot be sealed");
      });
    },
  };
}

async function signed(options: HeadSealerOptions, head: Omit<AuditHead, "signature">): Promise<AuditHead> {
  return { ...head, signature: await options.sign(headBytes(head)) };
}
