import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { addressName } from "./remote-address.ts";

export interface HandshakeLimits {
  /** A handshake in which a client sends more (of one that is done, more certificates) ends its connection. */
  readonly handshakeBytes: number;
  /** So long afterwards nothing is heard of its address. 0: it is heard at once. */
  readonly barMillis: number;
}

/** Handshakes that are under way, and addresses that are not heard because of theirs. */
export interface Handshakes {
  /** Is nothing heard of this address now? */
  isBarred(remoteAddress: string): boolean;
  begin(socket: Socket): void;
  /** The handshake of the connection is done, and so large were the client's certificates. False: it must end. */
  isFit(socket: TLSSocket, chainBytes: number): boolean;
}

/** What is remembered of strangers is bounded: the oldest is heard again first. */
const mostBarred = 10_000;

/**
 * Watches how much clients send before they are let in. OpenSSL verifies every signature of a chain that a client presents, whoever it is and whether or not the chain
 * leads anywhere, before anybody can look at it: with a hundred kilobytes of certificates whose RSA keys have long exponents one handshake keeps the processor for a third
 * of a second. No chain of ours is a tenth as long. It cannot be kept from doing so once; so an address that did it is not heard for a while. `tell`: it begins.
 */
export function createHandshakes(
  { handshakeBytes, barMillis }: HandshakeLimits,
  tell: (remoteAddress: string) => void,
): Handshakes {
  const underWay = new Set<string>();
  const barred = new Map<string, NodeJS.Timeout>();
  const bar = (remoteAddress: string) => {
    const name = addressName(remoteAddress);
    if (barMillis === 0 || barred.has(name)) return;
    const [oldest] = barred.keys();
    if (barred.size >= mostBarred && oldest !== undefined) {
      clearTimeout(barred.get(oldest));
      barred.delete(oldest);
    }
    barred.set(name, setTimeout(() => barred.delete(name), barMillis).unref());
    tell(remoteAddress);
  };
  return {
    isBarred: (remoteAddress) => barred.has(addressName(remoteAddress)),
    begin(socket) {
      const { remoteAddress, remotePort } = socket;
      if (remoteAddress === undefined) return;
      const key = `${remoteAddress} ${remotePort}`;
      underWay.add(key);
      socket.once("close", () => {
        // One that was given up in the middle may have cost as much.
        if (underWay.delete(key) && socket.bytesRead > handshakeBytes) bar(remoteAddress);
      });
    },
    isFit({ remoteAddress = "", remotePort }, chainBytes) {
      underWay.delete(`${remoteAddress} ${remotePort}`);
      // What has come may hold the first request already: the certificates alone are counted.
      if (chainBytes <= handshakeBytes) return true;
      bar(remoteAddress);
      return false;
    },
  };
}
