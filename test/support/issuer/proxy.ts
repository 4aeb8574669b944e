import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TestContext } from "node:test";

/** A forward proxy that knows some names. Ends with the test. */
export interface TestProxy {
  readonly port: number;
  readonly asked: readonly { readonly line: string; readonly authorization: string | undefined }[];
  /** Resolves when nobody is connected. */
  idle(): Promise<void>;
}

export async function startProxy(
  t: TestContext,
  {
    tls,
    ways,
  }: {
    readonly tls: { readonly cert: string; readonly key: string } | undefined;
    readonly ways: Readonly<Record<string, string>>;
  },
): Promise<TestProxy> {
  const asked: { line: string; authorization: string | undefined }[] = [];
  const note = ({ method, url, httpVersion, headers }: IncomingMessage) =>
    asked.push({ line: `${method} ${url} HTTP/${httpVersion}`, authorization: headers["proxy-authorization"] });
  const server: Server =
    tls === undefined ? createServer() : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) });
  server.on("connect", (message: IncomingMessage, client: Duplex) => {
    note(message);
    const { hostname, port } = new URL(`http://${message.url}`);
    const upstream = connect({ host: ways[hostname] ?? hostname, port: Number(port) }, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    // Whoever has nothing more to write to does not read either, and would not notice that the other is gone.
    upstream.on("close", () => client.destroy());
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
  });
  server.on("request", (message, answer) => {
    note(message);
    const { hostname, port, pathname, search } = new URL(message.url ?? "");
    const options = { host: ways[hostname] ?? hostname, port, path: pathname + search, method: message.method };
    const forwarded = request({ ...options, headers: { host: message.headers.host ?? "" } }, (upstream) => {
      answer.writeHead(upstream.statusCode ?? 502, upstream.headers);
      upstream.pipe(answer);
    });
    forwarded.on("error", () => answer.destroy());
    forwarded.end();
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0);
  await once(server, "listening");
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const idle = async () => {
    for (const socket of sockets) await new Promise((resolve) => socket.once("close", resolve));
  };
  return { port: (server.address() as AddressInfo).port, asked, idle };
}
