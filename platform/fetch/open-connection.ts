import { lookup as resolve } from "node:dns";
import { request } from "node:http";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type SecureContext, connect as startTls } from "node:tls";
import type { AddressGuard } from "./address-guard.ts";
import { FetchFault } from "./fault-codes.ts";
import { hostOf, type ProxyServer, portOf } from "./proxies.ts";

/** How to get to a host. */
export interface Way {
  readonly guard: AddressGuard;
  readonly roots: SecureContext;
  readonly proxy: ProxyServer | undefined;
}

/**
 * Opens a connection over which the host's HTTP is spoken: with TLS where the address says so, through a tunnel where a proxy leads there
 * (RFC 9110 §9.3.6). For `http` with a proxy it is a connection to the proxy.
 *
 * What is guarded is the address that is dialled: a name is resolved once, and what it resolves to is looked at before it is connected to
 * and once more afterwards, so that an answer of DNS that changes gains nothing. With a proxy only addresses that are written as such are
 * looked at: the proxy resolves names, and it is the one to keep them out. The proxy's own address is the operator's word and is not looked at.
 */
export async function openConnection(url: URL, { guard, roots, proxy }: Way, signal: AbortSignal): Promise<Duplex> {
  const host = hostOf(url);
  if (isIP(host) !== 0) refuse(guard, host);
  if (proxy === undefined) {
    const socket = await dial(host, portOf(url), signal, guard);
    return url.protocol === "https:" ? secure(socket, host, roots, signal) : socket;
  }
  const plain = await dial(proxy.host, proxy.port, signal, undefined);
  const socket = proxy.tls ? await secure(plain, proxy.host, roots, signal) : plain;
  if (url.protocol === "http:") return socket;
  const tunnel = await openTunnel(socket, `${url.hostname}:${portOf(url)}`, proxy, signal);
  return secure(tunnel, host, roots, signal);
}

/** Without a guard every address is dialled. */
async function dial(host: string, port: number, signal: AbortSignal, guard: AddressGuard | undefined): Promise<Socket> {
  const lookup = guard === undefined ? {} : { lookup: guardedLookup(guard) };
  const socket = connect({ host, port, signal, ...lookup });
  await opened(socket, "connect");
  if (guard === undefined) return socket;
  try {
    refuse(guard, socket.remoteAddress ?? "");
  } catch (fault) {
    socket.destroy();
    throw fault;
  }
  return socket;
}

/** Resolves as the system does, and leaves out what may not be dialled; if nothing is left, it fails. */
function guardedLookup(guard: AddressGuard): LookupFunction {
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (fault, addresses) => {
      if (fault !== null) return done(fault, "");
      const allowed = addresses.filter(({ address }) => guard.refusal(address) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        const [refused] = addresses;
        return done(addressFault(refused?.address ?? "", guard.refusal(refused?.address ?? "") ?? ""), "");
      }
      return options.all === true ? done(null, allowed) : done(null, first.address, first.family);
    });
  };
}

function refuse(guard: AddressGuard, address: string): void {
  const what = guard.refusal(address);
  if (what !== undefined) throw addressFault(address, what);
}

function addressFault(address: string, what: string): FetchFault {
  return new FetchFault("fetch/address", `the address ${address} is refused: ${what}`);
}

async function secure(socket: Duplex, host: string, roots: SecureContext, signal: AbortSignal): Promise<Duplex> {
  const name = host.replace(/\.$/, "");
  const secured = startTls({
    socket,
    host: name,
    // RFC 6066 §3: an address is no server name.
    servername: isIP(name) === 0 ? name : "",
    secureContext: roots,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    ALPNProtocols: ["http/1.1"],
  });
  const end = () => secured.destroy();
  signal.addEventListener("abort", end, { once: true });
  try {
    await opened(secured, "secureConnect");
  } catch (fault) {
    socket.destroy();
    if (fault instanceof FetchFault || (fault as { readonly code?: unknown }).code === "ECONNRESET") throw fault;
    throw new FetchFault("fetch/tls", tlsSentence(fault));
  } finally {
    signal.removeEventListener("abort", end);
  }
  return secured;
}

const unknownAuthority =
  /^(?:UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT)/;

/** OpenSSL's and Node's words, of one line and bounded: a certificate's names are the other side's text. */
function tlsSentence(fault: unknown): string {
  const { code, message } = fault as { readonly code?: unknown; readonly message?: unknown };
  const said = String(message).replace(/[^\x20-\x7e]+/g, " ");
  const named = typeof code === "string" ? `${code}: ` : "";
  const help = unknownAuthority.test(named)
    ? "; name an authority of your own by `caFile`, beside the URL or in `jwt`, or by `--ca-file`"
    : "";
  return `${named}${said.length > 200 ? `${said.slice(0, 200)}...` : said}${help}`;
}

async function openTunnel(socket: Duplex, target: string, proxy: ProxyServer, signal: AbortSignal): Promise<Duplex> {
  const asked = request({
    method: "CONNECT",
    path: target,
    headers: {
      host: target,
      ...(proxy.authorization === undefined ? {} : { "proxy-authorization": proxy.authorization }),
    },
    createConnection: () => socket,
    signal,
  });
  return new Promise((resolve, reject) => {
    const refused = (what: string) => {
      socket.destroy();
      reject(new FetchFault("fetch/proxy", `the proxy opens no way to ${target}: ${what}`));
    };
    asked.on("connect", ({ statusCode = 0 }, tunnel, head) => {
      if (statusCode < 200 || statusCode > 299) refused(`status ${statusCode}`);
      // A proxy that speaks before the host does is none.
      else if (head.length > 0) refused("it speaks itself");
      else resolve(tunnel);
    });
    asked.on("response", ({ statusCode }) => refused(`status ${statusCode}`));
    asked.on("error", ({ message }) => refused(message));
    asked.end();
  });
}

/** Resolves with the event, rejects with an error or a silent end before it. */
function opened(socket: Duplex, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    // Stays: an error of a connection that nobody reads any more must not end the program.
    socket.on("error", reject);
    socket.once("close", () => reject(new FetchFault("fetch/reset", "the connection ended before it was used")));
  });
}
