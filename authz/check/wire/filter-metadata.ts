import type { ByteString } from "#policy-compiler/ruleset/model";
import { fieldTag, MAX_DEPTH, varintTag, WireFault, type WireReader } from "./wire-reader.ts";

/** What Envoy's filters published, by namespace and key. Built only where Envoy was told to send namespaces. */
export type FilterMetadata = Map<ByteString, StructFields>;
type StructFields = Map<ByteString, StructValue>;

/** A `google.protobuf.Value`. Numbers, booleans, null and structs are `other`: no policy can speak of them. */
interface StructValue {
  kind: "none" | "text" | "list" | "other";
  text: ByteString;
  list: StructValue[];
}

const FIELD_1 = fieldTag(1);
const ONLY_1 = 1 << 1;
const ENTRY_VALUE = fieldTag(2);
const ENTRY_FIELDS = (1 << 1) | (1 << 2);

const NULL_VALUE = varintTag(1);
const NUMBER_VALUE = (2 << 3) | 1;
const STRING_VALUE = fieldTag(3);
const BOOL_VALUE = varintTag(4);
const STRUCT_VALUE = fieldTag(5);
const LIST_VALUE = fieldTag(6);
const VALUE_FIELDS = 0b1111110;

/** Reads the body of an `envoy.config.core.v3.Metadata` up to `end` into `metadata`; `depth` is that of the message itself. */
export function readFilterMetadata(reader: WireReader, end: number, metadata: FilterMetadata, depth: number): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag !== FIELD_1) {
      reader.skip(tag, end, ONLY_1);
      continue;
    }
    reader.countEntry();
    const entryEnd = reader.enter(end);
    let namespace = "";
    const fields: StructFields = new Map();
    for (let inner = reader.tag(entryEnd); inner !== 0; inner = reader.tag(entryEnd)) {
      if (inner === FIELD_1) namespace = reader.text(entryEnd);
      else if (inner === ENTRY_VALUE) readStruct(reader, reader.enter(entryEnd), fields, depth + 1);
      else reader.skip(inner, entryEnd, ENTRY_FIELDS);
    }
    metadata.set(namespace, fields);
  }
}

/** A text, or the texts of a list (its other elements left out), else undefined. */
export function metadataValue(
  metadata: FilterMetadata,
  namespace: ByteString,
  key: ByteString,
): ByteString | readonly ByteString[] | undefined {
  const value = metadata.get(namespace)?.get(key);
  if (value?.kind === "text") return value.text;
  if (value?.kind === "list") return value.list.filter((element) => element.kind === "text").map(({ text }) => text);
  return undefined;
}

function readStruct(reader: WireReader, end: number, fields: StructFields, depth: number): void {
  checkDepth(depth);
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag !== FIELD_1) {
      reader.skip(tag, end, ONLY_1);
      continue;
    }
    const entryEnd = reader.enter(end);
    let key = "";
    const value = newValue(reader);
    for (let inner = reader.tag(entryEnd); inner !== 0; inner = reader.tag(entryEnd)) {
      if (inner === FIELD_1) key = reader.text(entryEnd);
      else if (inner === ENTRY_VALUE) readValue(reader, reader.enter(entryEnd), value, depth + 1);
      else reader.skip(inner, entryEnd, ENTRY_FIELDS);
    }
    fields.set(key, value);
  }
}

/** `kind` is a oneof: the last member counts; a list that follows a list is appended to it. */
function readValue(reader: WireReader, end: number, value: StructValue, depth: number): void {
  checkDepth(depth);
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    switch (tag) {
      case STRING_VALUE:
        value.kind = "text";
        value.text = reader.text(end);
        break;
      case LIST_VALUE:
        if (value.kind !== "list") value.list = [];
        value.kind = "list";
        readList(reader, reader.enter(end), value.list, depth + 1);
        break;
      case STRUCT_VALUE:
        value.kind = "other";
        readStruct(reader, reader.enter(end), new Map(), depth + 1);
        break;
      case NULL_VALUE:
      case NUMBER_VALUE:
      case BOOL_VALUE:
        value.kind = "other";
        reader.skip(tag, end, 0);
        break;
      default:
        reader.skip(tag, end, VALUE_FIELDS);
    }
  }
}

function readList(reader: WireReader, end: number, list: StructValue[], depth: number): void {
  checkDepth(depth);
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag !== FIELD_1) {
      reader.skip(tag, end, ONLY_1);
      continue;
    }
    const value = newValue(reader);
    readValue(reader, reader.enter(end), value, depth + 1);
    list.push(value);
  }
}

const NO_VALUES: StructValue[] = [];

// INVARIANT: the shared empty list is replaced before anything is put into it (`readValue`).
function newValue(reader: WireReader): StructValue {
  reader.countEntry();
  return { kind: "none", text: "", list: NO_VALUES };
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new WireFault(`messages are nested more than ${MAX_DEPTH} deep`);
}
