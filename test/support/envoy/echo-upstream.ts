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
  // Node's parser refuses a target beyond ASCII or with a space in it: such a request is read here, line by line.
  server.on("clientError", (error: Error & { readonly rawPacket?: Buffer }, socket) => {
    const body = JSON.stringify(readLines(error.rawPacket?.toString("latin1") ?? ""));
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

/** A request without a body; what stands between the first space and the last of its first line is the target. */
function readLines(text: string): EchoedRequest {
  const [first = "", ...lines] = text.split("\r\n\r\n", 1)[0]!.split("\r\n");
  const method = first.split(" ", 1)[0]!;
  const rawHeaders = lines.flatMap((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { method, target: first.slice(method.length + 1, first.lastIndexOf(" ")), rawHeaders, body: "" };
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
