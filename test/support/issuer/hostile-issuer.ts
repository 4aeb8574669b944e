import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { createServer as createTlsServer } from "node:tls";

/** What an issuer does once it has read the head of a request. */
export type Behaviour = (socket: Socket, head: string) => void;

/** An issuer that does to every connection what the test wants. Ends with the test. */
export interface HostileIssuer {
  readonly uri: string;
  readonly port: number;
  /** Heads of the requests so far. */
  readonly heads: readonly string[];
  become(behaviour: Behaviour): void;
  /** Resolves when nobody is connected. */
  idle(): Promise<void>;
}

interface Options {
  readonly host?: string;
  /** Does its worst at the first bytes, whole head or not. */
  readonly eager?: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export async function startHostileIssuer(
  t: TestContext,
  behaviour: Behaviour,
  { host = "127.0.0.1", eager = false, tls }: Options = {},
): Promise<HostileIssuer> {
  let current = behaviour;
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let head = "";
    const read = (chunk: Buffer) => {
      head += chunk.toString("latin1");
      if (!eager && !head.includes("\r\n\r\n")) return;
      socket.off("data", read);
      heads.push(head);
      current(socket, head);
    };
    socket.on("data", read);
  };
  const server: Server =
    tls === undefined
      ? createServer(serve)
      : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, serve);
  server.on("tlsClientError", () => undefined);
  server.listen(0, host);
  await once(server, "listening");
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    uri: `${tls === undefined ? "http" : "https"}://${name}:${port}/keys`,
    port,
    heads,
    become(next) {
      current = next;
    },
    async idle() {
      for (const socket of sockets) await new Promise((resolve) => socket.once("close", resolve));
    },
  };
}

/** A whole answer. */
export function answering(body: string | Uint8Array, headers = "", status = "200 OK"): Behaviour {
  const bytes = Buffer.from(body);
  return (socket) => {
    socket.write(`HTTP/1.1 ${status}\r\ncontent-length: ${bytes.length}\r\n${headers}\r\n`);
    socket.end(bytes);
  };
}

/** Bytes as they are, then the end. */
export function sending(text: string | Uint8Array): Behaviour {
  return (socket) => void socket.end(text);
}

/** The text, and then one drop after another, for ever. */
export function dripping(text: string, everyMillis: number, drop = " "): Behaviour {
  return (socket) => {
    socket.write(text);
    const timer = setInterval(() => socket.write(drop), everyMillis);
    socket.on("close", () => clearInterval(timer));
  };
}

/** As much as is taken, for ever, without a length. */
export const flooding: Behaviour = (socket) => {
  socket.write("HTTP/1.1 200 OK\r\n\r\n");
  const chunk = Buffer.alloc(64 * 1024, 0x20);
  const pour = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", pour);
  pour();
};

export const silent: Behaviour = () => undefined;

export const resetting: Behaviour = (socket) => void socket.resetAndDestroy();

export function redirecting(location: string, status = "302 Found"): Behaviour {
  return answering("", `location: ${location}\r\n`, status);
}
