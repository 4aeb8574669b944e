import type { DerFault, Read } from "./contract.ts";

/** How much PEM is read. */
export interface PemLimits {
  /** Characters of the whole text. */
  readonly sizeCharacters: number;
  readonly blocks: number;
}

const BEGIN = "-----BEGIN ";
const END = "-----END ";
const DASHES = "-----";

/**
 * Reads the one block of a text, whose label must be one of these (RFC 7468 §3, strictly): nothing but blanks before and behind, no headers, base64 without other
 * characters than line breaks, padded and canonical. Linear: no pattern is searched. The caller limits the size before.
 */
export function readPem(text: string, labels: readonly string[]): Read<Uint8Array> {
  const block = blockAt(text, 0, labels);
  if (!block.ok) return block;
  if (!isBlank(text.slice(0, block.value.start))) return failed("expected nothing before the block", 0);
  if (!isBlank(text.slice(block.value.end))) return failed("expected nothing behind the block", block.value.end);
  return { ok: true, value: block.value.der };
}

/**
 * Reads the blocks of a text, at least one, all with this label. Text between them is passed over (RFC 7468 §2), so that files with remarks can be read; everything
 * else as `readPem` does.
 */
export function readPemBlocks(text: string, label: string, limits: PemLimits): Read<readonly Uint8Array[]> {
  if (text.length > limits.sizeCharacters)
    return failed(`expected at most ${limits.sizeCharacters} characters, found ${text.length}`, 0);
  const blocks: Uint8Array[] = [];
  let at = 0;
  do {
    if (blocks.length === limits.blocks) return failed(`expected at most ${limits.blocks} blocks`, at);
    const block = blockAt(text, at, [label]);
    if (!block.ok) return block;
    blocks.push(block.value.der);
    at = block.value.end;
  } while (text.includes(BEGIN, at));
  return { ok: true, value: blocks };
}

interface Block {
  readonly der: Uint8Array;
  readonly start: number;
  readonly end: number;
}

function blockAt(text: string, from: number, labels: readonly string[]): Read<Block> {
  const start = text.indexOf(BEGIN, from);
  if (start < 0) return failed(`expected ${BEGIN}${labels[0]}-----`, from);
  if (start > 0 && text[start - 1] !== "\n") return failed("expected a block to begin its line", start);
  const label = labels.find((each) => text.startsWith(each + DASHES, start + BEGIN.length));
  if (label === undefined) return failed(`expected the label ${labels.join(" or ")}`, start);
  const bodyStart = start + BEGIN.length + label.length + DASHES.length;
  const bodyEnd = text.indexOf(DASHES, bodyStart);
  const lastLine = END + label + DASHES;
  if (bodyEnd < 0 || !text.startsWith(lastLine, bodyEnd)) return failed(`expected ${lastLine}`, bodyStart);
  const end = bodyEnd + lastLine.length;
  if (end < text.length && text[end] !== "\n" && text[end] !== "\r")
    return failed("expected a line break behind the block", end);
  const body = text.slice(bodyStart, bodyEnd);
  if (!isLine(body)) return failed("expected lines of base64", bodyStart);
  const base64 = body.replaceAll("\r\n", "\n").replaceAll("\n", "");
  const der = Buffer.from(base64, "base64");
  // Only canonical text comes out as it went in: other alphabets, blanks, missing padding and stray bits do not.
  if (der.length === 0 || der.toString("base64") !== base64) return failed("expected base64", bodyStart);
  return { ok: true, value: { der: new Uint8Array(der), start, end } };
}

/** Does it begin and end with a line break? */
function isLine(body: string): boolean {
  return (body.startsWith("\n") || body.startsWith("\r\n")) && body.endsWith("\n");
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

function failed(message: string, offset: number): { readonly ok: false; readonly fault: DerFault } {
  return { ok: false, fault: { message, offset } };
}

/** Lines of RFC 7468 §2. */
const LINE = 64;

/** One block: lines of 64 characters, a line break at the end. */
export function writePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  let lines = "";
  for (let at = 0; at < base64.length; at += LINE) lines += `${base64.slice(at, at + LINE)}\n`;
  return `${BEGIN}${label}${DASHES}\n${lines}${END}${label}${DASHES}\n`;
}
