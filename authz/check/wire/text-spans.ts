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

/** Reads one `HeaderValue`. Its value is `raw_value`, where Envoy puts the bytes as received, and `value` where that is empty. */
export function readHeaderValue(reader: WireReader, limit: number, spans: TextSpans): void {
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
  if (rawEnd > rawStart) spans.push(keyStart, keyEnd, rawStart, rawEnd);
  else spans.push(keyStart, keyEnd, valueStart, valueEnd);
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
