import { type IncomingMessage, request } from "node:http";
import { request as requestTls } from "node:https";

export interface Posted {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly method?: string;
  /** Over TLS: what the client believes, and who it is. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/** Sends a request to this machine, on a connection of its own. Rejects where the connection ends before an answer. */
export function post({ port, path, headers, body, method = "POST", tls }: Posted) {
  return new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, headers, agent: false };
    const asked = tls === undefined ? request(options) : requestTls({ ...options, ...tls });
    asked.on("response", (response: IncomingMessage) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
