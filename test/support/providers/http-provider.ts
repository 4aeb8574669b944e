import { createServer, type Socket } from "node:net";

/** One request as it came over the wire, Latin-1. */
export interface HttpQuestion {
  readonly requestLine: string;
  /** Names and values as written, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What is done with a question: bytes written to the socket, or whatever else. */
export type HttpAnswer = (socket: Socket, question: HttpQuestion) => void | Promise<void>;

export interface HttpProvider {
  readonly port: number;
  answer(next: HttpAnswer): void;
  /** What was asked since the last `take`, oldest first. */
  take(): HttpQuestion[];
  /** Connections that were opened so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** A response with a content-length, as most servers write it; statuses that have no body get none. */
export function httpResponse(
  status: number,
  headers: readonly (readonly [name: string, value: string, ...rest: unknown[]])[] = [],
  body = "",
  method = "GET",
): Buffer {
  const bodiless = status === 204 || status === 304 || (status >= 100 && status < 200);
  const bytes = Buffer.from(bodiless ? "" : body, "utf8");
  const lines = [`HTTP/1.1 ${status} Whatever`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (!bodiless) lines.push(`content-length: ${bytes.length}`);
  return Buffer.concat([
    Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"),
    method === "HEAD" ? Buffer.of() : bytes,
  ]);
}

/**
 * An HTTP/1.1 server over bare sockets: it sees requests as they are written and can answer with any bytes. Requests must say their
 * length. Connections are kept alive. The port is a free one if none is given.
 */
export async function startHttpProvider({ port: wanted = 0 } = {}): Promise<HttpProvider> {
  let taken: HttpQuestion[] = [];
  let opened = 0;
  let answer: HttpAnswer = (socket) => void socket.write(httpResponse(200));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    opened++;
    sockets.add(socket);
    socket.setNoDelay();
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (let read = readQuestion(received); read !== undefined; read = readQuestion(received)) {
        received = read.rest;
        taken.push(read.question);
        void answer(socket, read.question);
      }
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(wanted, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
  return {
    port,
    answer(next) {
      answer = next;
    },
    take() {
      const all = taken;
      taken = [];
      return all;
    },
    connections: () => opened,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function readQuestion(text: string): { readonly question: HttpQuestion; readonly rest: string } | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [requestLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const length = Number(headers.find(([name]) => name.toLowerCase() === "content-length")?.[1] ?? 0);
  const bodyEnd = end + 4 + length;
  if (text.length < bodyEnd) return undefined;
  return { question: { requestLine, headers, body: text.slice(end + 4, bodyEnd) }, rest: text.slice(bodyEnd) };
}
