import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";

export interface Upstream {
  readonly port: number;
  stop(): Promise<void>;
}

/** What the upstream saw of a request, as it answers it. */
export interface EchoedRequest {
  readonly method: string;
  readonly target: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** An application that answers every HTTP/1.1 request with what it saw of it (`EchoedRequest`). */
export async function startEchoUpstream(): Promise<Upstream> {
  const server: Server = createServer(async (request, response) => {
    let body = "";
    request.setEncoding("latin1");
    for await (const chunk of request) body += chunk;
    const seen: EchoedRequest = {
      method: request.method ?? "",
      target: request.url ?? "",
      rawHeaders: request.rawHeaders,
      body,
    };
    response.setHeader("x-upstream", "1");
    response.end(JSON.stringify(seen));
  });
  // Node's parser refuses a target beyond ASCII: such a request is echoed without its headers.
  server.on("clientError", (error: Error & { readonly rawPacket?: Buffer }, socket) => {
    const [method = "", target = ""] = (error.rawPacket?.toString("latin1") ?? "").split(" ");
    const body = JSON.stringify({ method, target, rawHeaders: [], body: "" } satisfies EchoedRequest);
    const head = [
      "HTTP/1.1 200 OK",
      "x-upstream: 1",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** An application that sends back every byte. */
export async function startTcpEcho(): Promise<Upstream> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
