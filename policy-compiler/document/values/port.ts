export type PortFault = "syntax" | "range";

export type PortParse =
  | { readonly ok: true; readonly port: number }
  | { readonly ok: false; readonly fault: PortFault };

/**
 * A port as Istio reads it: decimal digits only (no sign, no space), leading zeros permitted, 0 to 65535.
 * Go's `strconv.ParseUint(text, 10, 32)` and Istio's own limit.
 */
export function parsePort(text: string): PortParse {
  if (!/^[0-9]+$/.test(text)) return { ok: false, fault: "syntax" };
  const port = Number(text);
  return port <= 65535 ? { ok: true, port } : { ok: false, fault: "range" };
}
