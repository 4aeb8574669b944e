import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { parseBlock } from "./address-guard.ts";
import { FetchFault } from "./fault-codes.ts";

/** A proxy that takes the way to a host. */
export interface ProxyServer {
  readonly host: string;
  readonly port: number;
  /** The proxy itself speaks TLS. */
  readonly tls: boolean;
  /** Value of `proxy-authorization` (RFC 7617). A secret. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which proxy leads to an address, by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in lower case first, as curl and Go read them: a domain
 * in `NO_PROXY` stands for itself and what is below it, blocks of addresses and ports count, and this machine is never behind a proxy. Fails with
 * `fetch/proxy` when the variable holds none that can be used: going around it would be wrong.
 *
 * Node's own `proxyEnv` is not used: it compares whole host names, knows no blocks, and takes no `lookup` and no authorities for the proxy's
 * connection.
 */
export function proxyFor(url: URL, environment: Environment): ProxyServer | undefined {
  const name = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const text = variable(environment, name);
  if (text === undefined || isLocalHost(hostOf(url)) || goesAround(url, variable(environment, "no_proxy") ?? "")) {
    return undefined;
  }
  const broken = new FetchFault(
    "fetch/proxy",
    `expected \`${name.toUpperCase()}\` to be http://host:port or https://host:port`,
  );
  let proxy: URL;
  try {
    proxy = new URL(text.includes("://") ? text : `http://${text}`);
  } catch {
    throw broken;
  }
  if (proxy.protocol !== "http:" && proxy.protocol !== "https:") throw broken;
  const tls = proxy.protocol === "https:";
  return {
    host: hostOf(proxy),
    port: portOf(proxy),
    tls,
    authorization: basicAuthorization(proxy),
  };
}

/** The host without the brackets of an IPv6 address. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** The port of a URL, the one of its scheme if it names none. */
export function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

/** What user and password of an address make (RFC 7617); undefined without them. */
export function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const bytes = Buffer.from(`${unescaped(username)}:${unescaped(password)}`, "utf8");
  return `Basic ${bytes.toString("base64")}`;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new FetchFault("fetch/uri", "the user or password in an address has a broken `%` escape");
  }
}

function variable(environment: Environment, name: string): string | undefined {
  const text = environment[name] ?? environment[name.toUpperCase()];
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}

function isLocalHost(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function goesAround(url: URL, list: string): boolean {
  const host = hostOf(url).replace(/\.$/, "");
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => isMeant(entry.toLowerCase(), host, portOf(url)));
}

function isMeant(entry: string, host: string, port: number): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInBlock(host, entry);
  const { name, only } = splitPort(entry);
  if (only !== undefined && only !== port) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && ipaddr.process(host).toString() === ipaddr.process(name).toString();
  const domain = name.replace(/^\*?\./, "").replace(/\.$/, "");
  return domain !== "" && (host === domain || host.endsWith(`.${domain}`));
}

function isInBlock(host: string, text: string): boolean {
  const block = parseBlock(text);
  if (block === undefined || isIP(host) === 0) return false;
  const [base, bits] = block;
  const address = ipaddr.process(host);
  if (address instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && address.match(base, bits);
  return base instanceof ipaddr.IPv6 && address.match(base, bits);
}

function splitPort(entry: string): { readonly name: string; readonly only: number | undefined } {
  if (isIP(entry) !== 0) return { name: entry, only: undefined };
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]+))?$/.exec(entry) ?? [];
  return { name: bracketed ?? plain ?? entry, only: port === undefined ? undefined : Number(port) };
}
