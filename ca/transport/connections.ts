import type { Server, Socket } from "node:net";
import type { TLSSocket, Server as TlsServer } from "node:tls";
import { isLocal } from "#platform/address";
import { readClientChain } from "./client-chain.ts";
import type { DoorStart } from "./door.ts";
import { systemHandshakeParts, takeHandshakes } from "./handshakes.ts";

/** What is known of a connection before its first request: pinned when it was made. */
export interface DoorConnection {
  /** As `readClientChain` gives them. */
  readonly clientCertificates: readonly Uint8Array[];
  /** An IPv4 address in its own form, also where the socket is of both families. Undefined: a Unix socket. */
  readonly remoteAddress: string | undefined;
  /** The Unix socket of the administration. */
  readonly operatorSocket: boolean;
}

/**
 * Counts the connections of a door's server and hands over those that may stay, after the TLS handshake if there is one and before a protocol sees a
 * byte. Call it before other listeners are added, or those run first.
 */
export function watchConnections(
  server: Server,
  start: DoorStart,
  accept: (socket: Socket, connection: DoorConnection) => void,
): void {
  const { limits, name, log } = start;
  const counts = new Map<string, number>();
  const beginHandshake =
    start.tls === undefined ? undefined : takeHandshakes(server as TlsServer, systemHandshakeParts);
  server.maxConnections = limits.connections;
  server.on("drop", () => log.warn({ door: name }, "connection refused: there are too many"));
  server.prependListener("connection", (socket: Socket) => {
    const remoteAddress = plainAddress(socket.remoteAddress);
    const count = remoteAddress === undefined ? 0 : (counts.get(remoteAddress) ?? 0);
    const fault = connectionFault(start, remoteAddress, count);
    if (fault !== undefined) {
      log.warn({ door: name, remote: remoteAddress, reason: fault }, "connection refused");
      socket.destroy();
      return;
    }
    if (remoteAddress !== undefined) {
      counts.set(remoteAddress, count + 1);
      socket.once("close", () => {
        const left = counts.get(remoteAddress)! - 1;
        if (left === 0) counts.delete(remoteAddress);
        else counts.set(remoteAddress, left);
      });
    }
    if (beginHandshake !== undefined) beginHandshake(socket);
    else accept(socket, { clientCertificates: [], remoteAddress, operatorSocket: start.address.kind === "unix" });
  });
  if (beginHandshake === undefined) return;
  const tlsServer = server as TlsServer;
  tlsServer.prependListener("secureConnection", (socket: TLSSocket) => {
    if (socket.destroyed) return;
    const remoteAddress = plainAddress(socket.remoteAddress);
    accept(socket, { clientCertificates: readClientChain(socket), remoteAddress, operatorSocket: false });
  });
  tlsServer.on("tlsClientError", (fault: Error, socket: TLSSocket) => {
    log.warn({ door: name, remote: socket.remoteAddress, reason: fault.message }, "no TLS with a client");
    socket.destroy();
  });
}

/** Why a new connection may not stay, where its address has `count` already; undefined when it may. */
export function connectionFault(
  { address, tls, limits }: DoorStart,
  remoteAddress: string | undefined,
  count: number,
): string | undefined {
  if (address.kind === "unix") return undefined;
  // A socket that is gone before it was looked at has no address.
  if (remoteAddress === undefined) return "the client is gone";
  if (tls === undefined && !isLocal({ kind: "tcp", host: remoteAddress, port: 0 }))
    return "plain text from another machine";
  return count >= limits.connectionsPerAddress ? "too many connections of this address" : undefined;
}

function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
}
