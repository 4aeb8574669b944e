import { isIPv4, isIPv6 } from "node:net";

/** Where a server listens. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/**
 * Reads `127.0.0.1:9191`, `[::1]:9191`, `localhost:9191` or `unix:/run/garita.sock`. Port 0 lets the system choose. Undefined
 * when the text is none of these.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    // Linux: `sun_path` holds 108 bytes with its final NUL.
    return path === "" || path.includes("\0") || Buffer.byteLength(path) > 107 ? undefined : { kind: "unix", path };
  }
  const colon = text.lastIndexOf(":");
  const port = portOf(text.slice(colon + 1));
  if (colon < 1 || port === undefined) return undefined;
  const host = text.slice(0, colon);
  if (host.startsWith("[") && host.endsWith("]")) {
    const inner = host.slice(1, -1);
    return isIPv6(inner) ? { kind: "tcp", host: inner, port } : undefined;
  }
  return isIPv4(host) || isHostName(host) ? { kind: "tcp", host, port } : undefined;
}

/** The text that `parseAddress` reads back. */
export function renderAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Can only this machine reach the address? A name counts only when it is `localhost`. */
export function isLocal(address: Address): boolean {
  if (address.kind === "unix") return true;
  return (
    address.host === "localhost" || address.host === "::1" || (isIPv4(address.host) && address.host.startsWith("127."))
  );
}

function portOf(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

function isHostName(text: string): boolean {
  // All digits and dots but no IPv4 address: a slip, not a name.
  return text.length <= 253 && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text) && !/^[0-9.]+$/.test(text);
}
