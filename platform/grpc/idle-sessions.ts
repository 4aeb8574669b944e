import type { ServerHttp2Session } from "node:http2";
import { closeSession } from "./session.ts";

/** Sessions without a call, of which a door keeps a bounded number. */
export interface IdleSessions {
  /** It has no call now. The one that has had none for longest is told to go where there are too many. */
  add(session: ServerHttp2Session): void;
  /** It has one, or is gone. */
  remove(session: ServerHttp2Session): void;
}

export function createIdleSessions(most: number): IdleSessions {
  // In the order in which they became idle.
  const idle = new Set<ServerHttp2Session>();
  return {
    add(session) {
      idle.add(session);
      if (idle.size <= most) return;
      for (const oldest of idle) {
        idle.delete(oldest);
        closeSession(oldest);
        return;
      }
    },
    remove: (session) => void idle.delete(session),
  };
}
