import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { TestContext } from "node:test";
import type { Certificates } from "#test/support/certificates";
import { lastingPort } from "#test/support/lasting-port";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTPS server that ends with the test. */
export interface BundleServer {
  readonly url: string;
  /** The headers of the requests so far, and how they were answered. */
  readonly asked: readonly { readonly headers: IncomingHttpHeaders; readonly status: number }[];
  /** Answers with these bytes, and with 304 to whoever has their tag. */
  offer(bytes: Uint8Array, options?: { readonly tags?: boolean }): void;
  become(answer: Answer): void;
  /** Nobody answers any more. */
  end(): Promise<void>;
  /** At the same port again. */
  reopen(): Promise<void>;
}

/** Starts without anything to offer: 404. */
export async function startBundleServer(t: TestContext, certificates: Certificates): Promise<BundleServer> {
  const tls = {
    cert: readFileSync(certificates.file("server", "crt")),
    key: readFileSync(certificates.file("server", "key")),
  };
  const asked: { headers: IncomingHttpHeaders; status: number }[] = [];
  let answer: Answer = (_request, response) => response.writeHead(404).end();
  const port = await lastingPort();
  const open = async () => {
    const server = createServer(tls, (request, response) => {
      answer(request, response);
      asked.push({ headers: request.headers, status: response.statusCode });
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server = await open();
  const end = async () => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  t.after(end);
  return {
    url: `https://localhost:${port}/shop.bundle`,
    asked,
    offer(bytes, { tags = true } = {}) {
      const tag = `"${createHash("sha256").update(bytes).digest("hex")}"`;
      answer = (request, response) => {
        if (tags) response.setHeader("etag", tag);
        if (tags && request.headers["if-none-match"] === tag) response.writeHead(304).end();
        else response.writeHead(200, { "content-length": bytes.length }).end(bytes);
      };
    },
    become(next) {
      answer = next;
    },
    end,
    async reopen() {
      server = await open();
    },
  };
}
