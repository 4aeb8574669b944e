import { constants, performServerHandshake, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { DoorConnection } from "#platform/door/connections";
import type { Timers } from "#platform/timers";
import { answerCall, type CallStart } from "./call.ts";
import type { IdleSessions } from "./idle-sessions.ts";

export interface SessionStart extends CallStart {
  readonly idle: IdleSessions;
}

/** RFC 9113 §6.5.2. What is not refused by them is bounded by them: a connection holds a hundred messages of 64 KiB and their headers at most. */
const settings = { maxConcurrentStreams: 100, maxHeaderListSize: 32 * 1024, enablePush: false };

/**
 * Speaks HTTP/2 and gRPC on a connection, from its preface on. INVARIANT: every call of the session is answered with this connection, which it has by
 * closure: there is no table of connections in which another one could be found.
 */
export function openSession(socket: Socket, connection: DoorConnection, start: SessionStart): ServerHttp2Session {
  const session = performServerHandshake(socket, {
    settings,
    maxHeaderListPairs: 100,
    maxSessionMemory: 10,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // A client that sends numbers of resets is no agent: its connection ends (RFC 9113 §10.5).
    streamResetBurst: 1000,
    streamResetRate: 100,
  });
  // What a client does to its own connection is none of our faults.
  session.on("error", () => session.destroy());
  const { idle } = start;
  let calls = 0;
  idle.add(session);
  session.once("close", () => idle.remove(session));
  session.on("stream", (stream, _headers, _flags, fields) => {
    calls++;
    idle.remove(session);
    stream.once("close", () => {
      calls--;
      if (calls === 0 && !session.closed) idle.add(session);
    });
    answerCall(stream, fields, connection, start);
  });
  return session;
}

/** Tells the client to open no more calls here, and lets the running ones finish (RFC 9113 §6.8). */
export function closeSession(session: ServerHttp2Session): void {
  if (!session.destroyed && !session.closed) session.close();
}

/** Pings the client every so often, and ends a session whose client did not answer until the next time. */
export function keepAlive(session: ServerHttp2Session, everyMillis: number, timers: Timers): void {
  let waiting = false;
  const look = () => {
    if (session.destroyed) return;
    if (waiting) {
      session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
      return;
    }
    waiting = session.ping((fault) => {
      if (fault === null) waiting = false;
    });
    cancel = timers.after(everyMillis, look);
  };
  let cancel = timers.after(everyMillis, look);
  session.once("close", () => cancel());
}
