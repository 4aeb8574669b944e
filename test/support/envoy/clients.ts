import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";

export interface RawResponse {
  readonly status: number;
  /** Names in lower case and values, in order, duplicates kept; values as Latin-1. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Every value of a header of a response. */
export function headerValues(response: RawResponse, name: string): string[] {
  return response.headers.filter(([header]) => header === name).map(([, value]) => value);
}

/**
 * Sends bytes (Latin-1) over a new connection and gives everything that comes back until the other side closes; `until` ends the
 * wait earlier. A connection that is reset gives what came before.
 */
export async function exchange(
  port: number,
  bytes: string,
  options: { readonly tls?: ConnectionOptions; readonly until?: (received: string) => boolean } = {},
): Promise<string> {
  const { tls, until } = options;
  const socket = tls
    ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...tls })
    : net.connect({ port, host: "127.0.0.1" });
  socket.setEncoding("latin1");
  let received = "";
  const done = new Promise<void>((resolve) => {
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (until?.(received)) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve());
  });
  socket.write(Buffer.from(bytes, "latin1"));
  await done;
  return received;
}

/** Sends one HTTP/1.1 request: its head line by line, as it is, with `connection: close` added. */
export async function http1(
  port: number,
  head: readonly string[],
  options: { readonly body?: string; readonly tls?: ConnectionOptions; readonly before?: string } = {},
): Promise<RawResponse> {
  const request = `${options.before ?? ""}${[...head, "connection: close"].join("\r\n")}\r\n\r\n${options.body ?? ""}`;
  return parseResponse(await exchange(port, request, options.tls === undefined ? {} : { tls: options.tls }));
}

/** Sends one HTTP/2 request. */
export async function h2(
  port: number,
  headers: http2.OutgoingHttpHeaders,
  options: { readonly body?: Buffer; readonly tls?: ConnectionOptions } = {},
): Promise<{ readonly headers: http2.IncomingHttpHeaders; readonly body: string }> {
  const { tls, body } = options;
  // Node would refuse to send two lines of what should stand once.
  const lax: http2.ClientSessionOptions & { strictSingleValueFields: boolean } = { strictSingleValueFields: false };
  const session = tls
    ? http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, ...lax, ...tls })
    : http2.connect(`http://127.0.0.1:${port}`, lax);
  // The stream tells of it too, to whoever waits for the answer.
  session.on("error", () => session.destroy());
  try {
    const stream = session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const [response] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    let text = "";
    stream.setEncoding("utf8");
    for await (const chunk of stream) text += chunk;
    return { headers: response, body: text };
  } finally {
    session.destroy();
  }
}

function parseResponse(text: string): RawResponse {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) throw new Error(`no HTTP response: ${JSON.stringify(text)}`);
  const [statusLine, ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const rest = text.slice(end + 4);
  const chunked = headers.some(([name, value]) => name === "transfer-encoding" && value === "chunked");
  return { status: Number(statusLine?.split(" ")[1]), headers, body: chunked ? unchunk(rest) : rest };
}

function unchunk(text: string): string {
  let body = "";
  let at = 0;
  for (;;) {
    const line = text.indexOf("\r\n", at);
    const length = Number.parseInt(text.slice(at, line), 16);
    if (!(length > 0)) return body;
    body += text.slice(line + 2, line + 2 + length);
    at = line + 2 + length + 2;
  }
}
