import { readPem } from "#ca/x509/pem";
import { UsageFault } from "../../usage-fault.ts";

/** One thing that a file holds. */
export type FileItem =
  | { readonly kind: "certificate" | "request"; readonly der: Uint8Array }
  /** Told by its label alone: a private key, a CRL. Its content is not looked at. */
  | { readonly kind: "other"; readonly label: string };

const labels: ReadonlyMap<string, "certificate" | "request"> = new Map([
  ["CERTIFICATE", "certificate"],
  ["CERTIFICATE REQUEST", "request"],
  ["NEW CERTIFICATE REQUEST", "request"],
] as const);

/** Blocks beyond this are a mistake, not a bundle. */
const mostItems = 1000;

/**
 * What a file of PEM blocks or of DER holds, in its order. DER: one certificate or request, or certificates one behind the other (as SPIFFE's Workload API gives
 * bundles). Fails with `UsageFault` where nothing is found, or a block is damaged.
 */
export function readItems(bytes: Uint8Array, file: string): readonly FileItem[] {
  const text = Buffer.from(bytes).toString("latin1");
  const items = text.includes("-----BEGIN ") ? pemItems(text, file) : derItems(bytes, file);
  if (items.length > mostItems) throw new UsageFault(`\`${file}\` holds more than ${mostItems} certificates`);
  return items;
}

/** The certificates of a file, at least one, and nothing but them. Fails with `UsageFault`. */
export function certificatesOf(bytes: Uint8Array, file: string): readonly Uint8Array[] {
  return readItems(bytes, file).map((item) => {
    if (item.kind === "certificate") return item.der;
    const found = item.kind === "other" ? item.label.toLowerCase() : "a certificate request";
    throw new UsageFault(`expected certificates in \`${file}\`, found ${found}`);
  });
}

function pemItems(text: string, file: string): FileItem[] {
  const starts = [...text.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----/gm)];
  return starts.map((match, i) => {
    const label = match[1]!;
    const kind = labels.get(label);
    if (kind === undefined) return { kind: "other", label };
    const until = starts[i + 1]?.index ?? text.length;
    const last = `-----END ${label}-----`;
    const end = text.indexOf(last, match.index);
    const block = text.slice(match.index, end < 0 || end > until ? until : end + last.length);
    const read = readPem(`${block}\n`, [label]);
    if (!read.ok) {
      const line = text.slice(0, match.index).split("\n").length;
      throw new UsageFault(`\`${file}\`, the block at line ${line}: ${read.fault.message}`);
    }
    return { kind, der: read.value };
  });
}

function derItems(bytes: Uint8Array, file: string): FileItem[] {
  const items: FileItem[] = [];
  for (let at = 0; at < bytes.length && items.length <= mostItems; ) {
    const end = endOfSequence(bytes, at);
    if (end === undefined) {
      throw new UsageFault(
        `\`${file}\` holds neither PEM nor DER${at === 0 ? "" : `: nothing can be read at byte ${at}`}`,
      );
    }
    const der = bytes.subarray(at, end);
    items.push({ kind: looksLikeRequest(der) ? "request" : "certificate", der });
    at = end;
  }
  if (items.length === 0) throw new UsageFault(`\`${file}\` is empty`);
  return items;
}

/** Where the SEQUENCE that begins here ends, by its length of one to four bytes; undefined: there is none, or it is cut off. */
function endOfSequence(bytes: Uint8Array, start: number): number | undefined {
  const first = bytes[start + 1];
  if (bytes[start] !== 0x30 || first === undefined) return undefined;
  const size = first < 0x80 ? 0 : first - 0x80;
  if (first === 0x80 || size > 3) return undefined;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < size; i++) length = length * 256 + (bytes[start + 2 + i] ?? 0);
  const end = start + 2 + size + length;
  return end <= bytes.length ? end : undefined;
}

/** A request begins with its version, an INTEGER of one byte that is 0; a certificate with its explicit version or a serial number. */
function looksLikeRequest(der: Uint8Array): boolean {
  const inner = contentStart(der, contentStart(der, 0));
  return der[inner] === 0x02 && der[inner + 1] === 0x01 && der[inner + 2] === 0x00;
}

function contentStart(der: Uint8Array, start: number): number {
  const first = der[start + 1] ?? 0;
  return start + 2 + (first < 0x80 ? 0 : first - 0x80);
}
