import http from "node:http";
import https from "node:https";
import { ProviderFault } from "#authz/custom/provider-fault";
import type { ProviderEndpoint } from "#policy-compiler/ruleset/providers/resolve";
import type { HttpCheckQuestion } from "./check-request.ts";

/** What an HTTP provider answered. Names in wire case, lines in order, values as byte strings. */
export interface HttpReply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Undefined: longer than is kept. */
  readonly body: Buffer | undefined;
}

export interface SendOptions {
  readonly endpoint: ProviderEndpoint;
  readonly agent: http.Agent;
  readonly tls: boolean;
  readonly budgetMillis: number;
}

/** All header lines of an answer together; and how many of them Envoy takes. */
const MAX_HEADER_BYTES = 256 * 1024;
const MAX_HEADER_LINES = 100;

/** Of a refusal's body more is not kept; of any answer more is not waited for, as in Envoy. */
const MAX_KEPT_BODY_BYTES = 1024 * 1024;
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Sends one request and reads the answer to its end. Rejects with a `ProviderFault` when the budget is over, when the connection fails, and for
 * whatever is no whole HTTP/1 answer. Never retries: a provider may count.
 */
export function sendCheck(question: HttpCheckQuestion, options: SendOptions): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const request = open(question, options);
    const timer = Number.isFinite(options.budgetMillis)
      ? setTimeout(() => fail("no answer in time"), options.budgetMillis)
      : undefined;
    const settle = (): void => clearTimeout(timer);
    function fail(message: string): void {
      settle();
      reject(new ProviderFault(message));
      request.destroy();
    }
    function succeed(reply: HttpReply): void {
      settle();
      resolve(reply);
    }
    request.on("error", (error: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }) => {
      const status = oddStatus(error);
      if (status !== undefined) succeed({ status, headers: [], body: undefined });
      else fail(`the connection failed: ${error.code ?? "unknown"}`);
    });
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      succeed({ status: response.statusCode ?? 101, headers: pairs(response.rawHeaders), body: Buffer.of() });
    });
    request.on("connect", (_response, socket) => {
      socket.destroy();
      fail("a tunnel was opened instead of an answer");
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let received = 0;
      const headers = pairs(response.rawHeaders);
      if (headers.length > MAX_HEADER_LINES) return fail("an answer with too many headers");
      response.on("data", (chunk: Buffer) => {
        received += chunk.length;
        if (received > MAX_BODY_BYTES) fail("an answer whose body is too long");
        else if (received <= MAX_KEPT_BODY_BYTES) chunks.push(chunk);
      });
      response.on("error", () => fail("an answer that broke off"));
      response.on("close", () => {
        if (!response.complete) return fail("an answer that broke off");
        const body = received <= MAX_KEPT_BODY_BYTES ? Buffer.concat(chunks) : undefined;
        succeed({ status: response.statusCode ?? 0, headers, body });
      });
    });
    request.end(question.body);
  });
}

function open({ method, path, headers }: HttpCheckQuestion, options: SendOptions): http.ClientRequest {
  const { endpoint, agent, tls } = options;
  const where = endpoint.kind === "unix" ? { socketPath: endpoint.path } : { host: endpoint.host, port: endpoint.port };
  const settings = {
    ...where,
    agent,
    method,
    path,
    setHost: false,
    setDefaultHeaders: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    headers: Object.fromEntries(headers),
  };
  const request = tls ? https.request(settings) : http.request(settings);
  // None is dropped unseen; too many are refused when they are counted.
  request.maxHeadersCount = 0;
  return request;
}

/** A status that Node's parser does not take, where Envoy hands it to the client: neither an allowance nor a failure. */
function oddStatus({ code, rawPacket }: NodeJS.ErrnoException & { readonly rawPacket?: Buffer }): number | undefined {
  if (code !== "HPE_INVALID_STATUS" || rawPacket === undefined) return undefined;
  const status = Number(/^HTTP\/1\.[01] ([0-9]{1,5})[ \r]/.exec(rawPacket.toString("latin1", 0, 32))?.[1] ?? 0);
  return status === 0 || (status >= 100 && status <= 999) ? undefined : status;
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const all: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) all.push([raw[i]!, raw[i + 1]!]);
  return all;
}
