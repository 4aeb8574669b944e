import type { Listener } from "#authz/transport/listener";
import { renderAddress } from "#platform/address";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { PreparedListener } from "./prepare-listener.ts";

/** Opens the socket of a prepared listener. */
export type StartListener = (prepared: PreparedListener) => Promise<Listener>;

interface Running {
  readonly prepared: PreparedListener;
  readonly listener: Listener;
}

/** The listeners that run, and how they become others. */
export interface ListenerSet {
  readonly running: readonly Running[];
  /**
   * Makes the running listeners those that are wanted: equal ones stay as they are, with their connections. All or nothing: when a
   * new one cannot be started, the old ones stay and the fault is thrown.
   */
  become(wanted: readonly PreparedListener[]): Promise<void>;
  announceEnd(): void;
  stop(deadline: AbortSignal): Promise<void>;
}

/** Connections of a listener that is given up have so long to finish. */
const retireMillis = 10_000;

export function createListenerSet(start: StartListener, log: Log): ListenerSet {
  let running: readonly Running[] = [];

  const retire = async ({ listener }: Running, told: boolean) => {
    try {
      listener.announceEnd();
      await listener.stop(AbortSignal.timeout(retireMillis));
      if (told) log.info({ listener: listener.name }, "listener closed");
    } catch (fault) {
      log.error({ listener: listener.name, fault: messageOf(fault) }, "a listener did not close");
    }
  };
  const open = async (prepared: PreparedListener): Promise<Running> => {
    return { prepared, listener: await start(prepared) };
  };
  /** Told when nothing can make it close again at once. */
  const tellListening = ({ prepared, listener }: Running) => {
    const { name, protocol } = prepared.config;
    log.info({ listener: name, protocol, address: renderAddress(listener.address) }, "listening");
  };

  return {
    get running() {
      return running;
    },
    async become(wanted) {
      const kept = new Map<PreparedListener, Running>();
      for (const prepared of wanted) {
        const same = running.find((one) => one.prepared.frame === prepared.frame);
        if (same !== undefined) kept.set(prepared, same);
      }
      const leaving = running.filter((one) => ![...kept.values()].includes(one));
      const taken = new Set(leaving.map(({ listener }) => renderAddress(listener.address)));
      const fresh = wanted.filter((prepared) => !kept.has(prepared));
      const opened = new Map<PreparedListener, Running>();
      const left: Running[] = [];
      try {
        // ORDER: what can be opened beside the old listeners first; only then is an address taken over.
        const inOrder = fresh.toSorted((a, b) => Number(takesOver(a, taken)) - Number(takesOver(b, taken)));
        for (const prepared of inOrder) {
          const address = renderAddress(prepared.config.address);
          const old = leaving.find(({ listener }) => renderAddress(listener.address) === address);
          if (old !== undefined && !left.includes(old)) {
            left.push(old);
            void retire(old, true);
          }
          opened.set(prepared, await open(prepared));
        }
      } catch (fault) {
        await Promise.all([...opened.values()].map((one) => retire(one, false)));
        const restored = await Promise.allSettled(left.map(({ prepared }) => open(prepared)));
        const again = restored.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        for (const one of again) tellListening(one);
        running = [...running.filter((one) => !left.includes(one)), ...again];
        throw fault;
      }
      for (const one of opened.values()) tellListening(one);
      for (const [prepared, { listener }] of kept) listener.update(prepared.settings, prepared.tls);
      running = wanted.map((prepared) => ({
        prepared,
        listener: (kept.get(prepared) ?? opened.get(prepared))!.listener,
      }));
      for (const old of leaving) {
        if (!left.includes(old)) void retire(old, true);
      }
    },
    announceEnd() {
      for (const { listener } of running) listener.announceEnd();
    },
    async stop(deadline) {
      await Promise.all(running.map(({ listener }) => listener.stop(deadline)));
      running = [];
    },
  };
}

function takesOver(prepared: PreparedListener, taken: ReadonlySet<string>): boolean {
  return taken.has(renderAddress(prepared.config.address));
}
