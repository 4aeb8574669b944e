import type { Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import { collectOften } from "#platform/heap";
import { Queue } from "#platform/queue";

export interface HandshakeParts {
  /** Calls back once the event loop has looked at everything else: `setImmediate`. */
  readonly nextTurn: (run: () => void) => void;
  readonly after: (millis: number, run: () => void) => void;
  /** See `collectOften`. */
  readonly collectOften: () => () => void;
}

export const systemHandshakeParts: HandshakeParts = {
  nextTurn: setImmediate,
  after: (millis, run) => void setTimeout(run, millis).unref(),
  collectOften,
};

/** Handshakes under way, and how many of them begin in one turn of the loop. */
export const handshakeLimits = { underWay: 32, perTurn: 2 } as const;
/** When so many wait it is a rush, and each of them leaves a connection that stays. */
const rush = 32;
/** A handshake that takes longer counts no more: who is far away, or means harm, keeps others waiting for so long at most. */
const slowMillis = 250;
/** Who has waited for longer is sent away, to come again: agents (gRPC in Go) give up a connection that takes 20 s, and a handshake that nobody waits for is for nothing. */
const longestWaitMillis = 10_000;

/**
 * Takes over the connections of a TLS server: their handshakes begin in the order in which they are handed to the function that is returned, a few at a time. Call it before other listeners
 * of `connection` are added.
 *
 * PERF: ten thousand agents that restart together bring ten thousand handshakes of 1 to 2 ms. Begun at once they end at once, most of them too late, and the loop does nothing else meanwhile. In
 * order, those that came first have their certificates before others begin (`bench/ca-restart.ts`).
 */
export function takeHandshakes(server: TlsServer, { nextTurn, after, collectOften }: HandshakeParts) {
  // Node's own listener makes the TLS socket. What a client sends before is kept by the socket, and handed over.
  const own = server.listeners("connection");
  server.removeAllListeners("connection");
  const waiting = new Queue<{ readonly socket: Socket; begun: boolean }>();
  /** One for each, the oldest first. */
  const underWay = new Set<object>();
  let scheduled = false;
  let endRush: (() => void) | undefined;

  const schedule = () => {
    if (scheduled || waiting.size === 0 || underWay.size >= handshakeLimits.underWay) return;
    scheduled = true;
    nextTurn(beginSome);
  };
  const beginSome = () => {
    scheduled = false;
    for (let begun = 0; begun < handshakeLimits.perTurn && underWay.size < handshakeLimits.underWay; begun++) {
      const next = waiting.shift();
      if (next === undefined) break;
      if (next.socket.destroyed) continue;
      next.begun = true;
      const token = {};
      underWay.add(token);
      after(slowMillis, () => {
        if (underWay.delete(token)) schedule();
      });
      for (const listener of own) listener.call(server, next.socket);
    }
    if (waiting.size === 0) {
      endRush?.();
      endRush = undefined;
    }
    schedule();
  };
  /** The server does not tell which one has ended: that it is one less is enough. */
  const ended = () => {
    for (const oldest of underWay) {
      underWay.delete(oldest);
      break;
    }
    schedule();
  };
  server.prependListener("secureConnection", ended);
  server.prependListener("tlsClientError", ended);
  return (socket: Socket): void => {
    const connection = { socket, begun: false };
    waiting.push(connection);
    if (waiting.size >= rush) endRush ??= collectOften();
    after(longestWaitMillis, () => {
      if (!connection.begun) socket.destroy();
    });
    schedule();
  };
}
