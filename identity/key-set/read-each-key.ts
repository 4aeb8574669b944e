import { utf8ByteString, utf8Text } from "../encoding/byte-string.ts";
import { isObject, readStruct, type StructValue } from "../encoding/struct-json.ts";
import type { VerificationKey } from "./key-set.ts";
import { readKey } from "./read-key.ts";
import { readKeySet } from "./read-key-set.ts";

/** A key of a document as `readKeySet` sees it: taken, or skipped with what it has that makes Envoy skip it. */
export type EachKey =
  | { readonly usable: true; readonly key: VerificationKey }
  | { readonly usable: false; readonly kty: string; readonly kid: string; readonly reason: string };

/** Every key of a document, in its order, for people who want to know what became of it. Empty where the document is no set. */
export function readEachKey(text: string): readonly EachKey[] {
  const json = readStruct(utf8ByteString(text));
  if (json.ok && Array.isArray(json.value.keys)) return json.value.keys.map((value: StructValue) => readOne(value));
  const read = readKeySet(text);
  return read.ok ? read.keys.map((key) => ({ usable: true, key })) : [];
}

function readOne(value: StructValue): EachKey {
  if (!isObject(value)) return { usable: false, kty: "", kid: "", reason: "no JSON object" };
  const key = readKey(value);
  if (typeof key !== "string") return { usable: true, key };
  return { usable: false, kty: textOf(value.kty), kid: textOf(value.kid), reason: key };
}

function textOf(value: StructValue | undefined): string {
  return typeof value === "string" ? utf8Text(value) : "";
}
