import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { HttpCheckResponse } from "#authz/check/contract";
import { sendable } from "./message.ts";

/** Time for a client to take the last words before its connection is cut. */
const lastWordsMillis = 2_000;

/** Writes an answer where Node gives no response object, and ends the connection. */
export function answerRaw(socket: Socket, answer: HttpCheckResponse): void {
  const { status, headers, body } = sendable(answer);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`, "connection: close"];
  for (let i = 0; i + 1 < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  socket.end(body);
  // What the client still sends is thrown away: bytes left unread would turn the end into a reset that overtakes the answer.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lastWordsMillis);
  socket.once("close", () => clearTimeout(timer));
}

/** What Node's parser calls the faults that deserve another status than 400. */
const statusOfFault: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers a request that could not be read: a denial, for Envoy relays it. The status, or undefined where nobody listens any more. */
export function answerParserFault(fault: Error & { readonly code?: string }, socket: Socket): number | undefined {
  if (fault.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const status = statusOfFault[fault.code ?? ""] ?? 400;
  answerRaw(socket, { status, headers: [], body: "" });
  return status;
}
