import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import type { SecureContext } from "node:tls";
import type { AddressGuard } from "./fetch/address-guard.ts";
import { FetchFault, type FetchFaultCode } from "./fetch/fault-codes.ts";
import { openConnection } from "./fetch/open-connection.ts";
import { basicAuthorization, proxyFor } from "./fetch/proxies.ts";

/** What fetching depends on, the same for all documents. */
export interface FetchSettings {
  readonly guard: AddressGuard;
  readonly roots: SecureContext;
  /** Where the proxies are named. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Larger documents are not taken. */
  readonly maxBytes: number;
}

export interface FetchOptions {
  readonly timeoutMillis: number;
  readonly signal: AbortSignal;
  /** Media type that is asked for. */
  readonly accept?: string;
  /** `Bearer …`: instead of what the address has of credentials. */
  readonly authorization?: string | undefined;
  /** Entity tag of what is there already (RFC 9110 §13.1.2). */
  readonly known?: string | undefined;
}

export interface FetchRefused {
  readonly ok: false;
  readonly fault: { readonly code: FetchFaultCode; readonly message: string };
}

export interface FetchedContent {
  readonly ok: true;
  /** Undefined: it is what the tag `known` names. */
  readonly bytes: Buffer | undefined;
  /** How long it is fresh (RFC 9111 §4.2), if its sender says so and lets it be kept. */
  readonly maxAgeSeconds: number | undefined;
  /** Its entity tag (RFC 9110 §8.8.3). */
  readonly tag: string | undefined;
}

export type FetchedBytes = FetchedContent | FetchRefused;

/**
 * Fetches one document by a GET that follows nothing and keeps nothing: status 2xx, or 304 where a tag was sent, not compressed, bounded in size. The
 * time is for everything together, from the name to the last byte. Never rejects; a fault's message names hosts and reasons, and no
 * credential or content.
 */
export async function fetchBytes(uri: string, settings: FetchSettings, options: FetchOptions): Promise<FetchedBytes> {
  const { timeoutMillis, signal } = options;
  const end = new AbortController();
  const stop = () => end.abort(new FetchFault("fetch/stopped", "stopped"));
  const timer = setTimeout(
    () => end.abort(new FetchFault("fetch/timeout", `nothing complete within ${timeoutMillis} ms`)),
    timeoutMillis,
  );
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await fetchOnce(parseUri(uri), settings, options, end.signal);
  } catch (thrown) {
    const { code, message } = faultOf(end.signal.aborted ? end.signal.reason : thrown);
    return { ok: false, fault: { code, message } };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** The URL standard repairs much; what it would have to repair is refused, so that everybody reads the same address. */
function parseUri(uri: string): URL {
  const url =
    /^https?:\/\/[^/\\\s]/i.test(uri) && !/[\\\s\p{Cc}]/u.test(uri) && URL.canParse(uri) ? new URL(uri) : undefined;
  if (url !== undefined) return url;
  throw new FetchFault("fetch/uri", "expected `http://` or `https://` with a host");
}

async function fetchOnce(
  url: URL,
  settings: FetchSettings,
  { accept = "*/*", authorization = basicAuthorization(url), known }: FetchOptions,
  signal: AbortSignal,
): Promise<FetchedContent> {
  signal.throwIfAborted();
  const proxy = proxyFor(url, settings.environment);
  const way = { guard: settings.guard, roots: settings.roots, proxy };
  const socket = await openConnection(url, way, signal);
  try {
    const direct = proxy === undefined || url.protocol === "https:";
    const target = `${url.pathname}${url.search}`;
    const response = await ask(socket, signal, direct ? target : `http://${url.host}${target}`, {
      host: url.host,
      accept,
      "accept-encoding": "identity",
      "user-agent": "garita",
      authorization,
      "if-none-match": known,
      "proxy-authorization": direct ? undefined : proxy.authorization,
    });
    const said = { maxAgeSeconds: freshSeconds(response), tag: response.headers.etag };
    if (response.statusCode === 304 && known !== undefined) return { ok: true, bytes: undefined, ...said };
    checkHead(response);
    return { ok: true, bytes: await readBody(response, settings.maxBytes, signal), ...said };
  } finally {
    socket.destroy();
  }
}

function ask(
  socket: Duplex,
  signal: AbortSignal,
  path: string,
  headers: Readonly<Record<string, string | undefined>>,
): Promise<IncomingMessage> {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const asked = request({ method: "GET", path, headers: given, createConnection: () => socket, signal });
    asked.on("response", resolve);
    asked.on("error", reject);
    // A switch of protocols that nobody asked for.
    asked.on("upgrade", () => reject(new FetchFault("fetch/status", "status 101")));
    asked.end();
  });
}

function checkHead({ statusCode = 0, headers }: IncomingMessage): void {
  if (statusCode >= 300 && statusCode <= 399)
    throw new FetchFault("fetch/redirect", redirectSentence(statusCode, headers.location));
  if (statusCode < 200 || statusCode > 299) throw new FetchFault("fetch/status", `status ${statusCode}`);
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw new FetchFault("fetch/encoding", "the document is compressed");
}

/** Only the place: what stands behind it may be a secret of somebody. */
function redirectSentence(statusCode: number, location: string | undefined): string {
  const where = location !== undefined && URL.canParse(location) ? ` to ${new URL(location).origin}` : "";
  return `status ${statusCode}, a redirect${where}`;
}

async function readBody(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const tooLarge = new FetchFault("fetch/too-large", `the document has more than ${maxBytes} bytes`);
  if (Number(response.headers["content-length"]) > maxBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge;
      chunks.push(chunk);
    }
  } catch (thrown) {
    if (thrown instanceof FetchFault) throw thrown;
    throw new FetchFault("fetch/truncated", "the document breaks off");
  }
  // A document without a length ends with its connection, and a connection that we end looks the same.
  signal.throwIfAborted();
  return Buffer.concat(chunks);
}

/** How long the document is fresh (RFC 9111 §4.2), if its sender says so and lets it be kept. */
function freshSeconds({ headers }: IncomingMessage): number | undefined {
  const directives = (headers["cache-control"] ?? "")
    .toLowerCase()
    .split(",")
    .map((each) => each.trim());
  if (directives.some((each) => each === "no-store" || each === "no-cache")) return undefined;
  const [, said] =
    directives.map((each) => /^max-age="?([0-9]{1,10})"?$/.exec(each)).find((found) => found !== null) ?? [];
  if (said === undefined) return undefined;
  const age = /^[0-9]{1,10}$/.test(headers.age ?? "") ? Number(headers.age) : 0;
  return Math.max(0, Number(said) - age);
}

/** What the system says, in our codes. */
const systemFaults: readonly (readonly [codes: RegExp, code: FetchFaultCode])[] = [
  [/^(?:ENOTFOUND|EAI_.*|ENODATA|ESERVFAIL)$/, "fetch/name"],
  [
    /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL|EACCES|EPERM|EINVAL|EAFNOSUPPORT|EMFILE|ENFILE)$/,
    "fetch/connect",
  ],
  [/^(?:ECONNRESET|EPIPE|ECONNABORTED)$/, "fetch/reset"],
  [/^HPE_/, "fetch/response"],
];

/** A fault, whatever was thrown. */
function faultOf(thrown: unknown): FetchFault {
  if (thrown instanceof FetchFault) return thrown;
  const system = codeOf(thrown);
  const row = systemFaults.find(([codes]) => codes.test(system));
  if (row !== undefined) return new FetchFault(row[1], system);
  const name = thrown instanceof Error ? thrown.name : "a thrown value";
  return new FetchFault("fetch/failed", system === "" ? name : system);
}

function codeOf(thrown: unknown): string {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}
