import type { ByteString } from "#policy-compiler/ruleset/model";
import { fieldTag, type WireReader } from "./wire-reader.ts";

/**
 * The entries of a map from text to text, or the lines of a header list, in wire order: four offsets an entry (key start, key
 * end, value start, value end) into the message. PERF: offsets only, a text is made when somebody asks for it.
 */
export type TextSpans = number[];

const KEY = fieldTag(1);
const VALUE = fieldTag(2);
const RAW_VALUE = fieldTag(3);
const MAP_ENTRY_FIELDS = (1 << 1) | (1 << 2);
const HEADER_MAP_FIELDS = 1 << 1;
const HEADER_VALUE_FIELDS = (1 << 1) | (1 << 2) | (1 << 3);

/** Reads one entry of a `map<string, string>`: a missing key or value is empty, the last of several counts. */
export function readMapEntry(reader: WireReader, limit: number, spans: TextSpans): void {
  reader.countEntry();
  const end = reader.enter(limit);
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === KEY) {
      keyStart = reader.span(end);
      keyEnd = reader.position;
    } else if (tag === VALUE) {
      valueStart = reader.span(end);
      valueEnd = reader.position;
    } else {
      reader.skip(tag, end, MAP_ENTRY_FIELDS);
    }
  }
  spans.push(keyStart, keyEnd, valueStart, valueEnd);
}

/** No spans: most messages have no map of most kinds. Frozen, because all share it. */
export const noSpans: TextSpans = Object.freeze([]) as unknown as TextSpans;

/** Where header lines are collected before their number is known. PERF: an array that grows line by line is copied over and over. */
let collected: TextSpans = [];
/** Beyond this the memory of a large message is given back. */
const KEPT_OFFSETS = 4 * 1024;

/** Reads the header lines of one `HeaderMap`, in order. */
export function readHeaderLines(reader: WireReader, end: number): TextSpans {
  let length = 0;
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === KEY) {
      readHeaderValue(reader, end, collected, length);
      length += 4;
    } else {
      reader.skip(tag, end, HEADER_MAP_FIELDS);
    }
  }
  const spans = collected.slice(0, length);
  if (length > KEPT_OFFSETS) collected = [];
  return spans;
}

/** Reads one `HeaderValue`. Its value is `raw_value`, where Envoy puts the bytes as received, and `value` where that is empty. */
function readHeaderValue(reader: WireReader, limit: number, spans: TextSpans, at: number): void {
  reader.countEntry();
  const end = reader.enter(limit);
  let keyStart = 0;
  let keyEnd = 0;
  let valueStart = 0;
  let valueEnd = 0;
  let rawStart = 0;
  let rawEnd = 0;
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === KEY) {
      keyStart = reader.span(end);
      keyEnd = reader.position;
    } else if (tag === RAW_VALUE) {
      rawStart = reader.span(end);
      rawEnd = reader.position;
    } else if (tag === VALUE) {
      valueStart = reader.span(end);
      valueEnd = reader.position;
    } else {
      reader.skip(tag, end, HEADER_VALUE_FIELDS);
    }
  }
  const isRaw = rawEnd > rawStart;
  spans[at] = keyStart;
  spans[at + 1] = keyEnd;
  spans[at + 2] = isRaw ? rawStart : valueStart;
  spans[at + 3] = isRaw ? rawEnd : valueEnd;
}

/** The value of a map's key; of several entries with that key the last counts, as protobuf has it. */
export function mapValue(slab: string, spans: TextSpans, name: ByteString): ByteString | undefined {
  for (let i = spans.length - 4; i >= 0; i -= 4) {
    const start = spans[i] as number;
    const end = spans[i + 1] as number;
    if (end - start === name.length && slab.startsWith(name, start)) {
      return slab.substring(spans[i + 2] as number, spans[i + 3] as number);
    }
  }
  return undefined;
}
