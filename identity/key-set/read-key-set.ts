import { utf8ByteString, utf8Text } from "../encoding/byte-string.ts";
import { quote } from "../encoding/quote.ts";
import { isObject, readStruct, type StructFault } from "../encoding/struct-json.ts";
import { readCertificateMap } from "./certificate-map.ts";
import type { VerificationKey } from "./key-set.ts";
import { readKey } from "./read-key.ts";

export type KeySetRead =
  | { readonly ok: true; readonly keys: readonly VerificationKey[] }
  | {
      readonly ok: false;
      /** `notKeySet`: the text has not the form of a set. `noUsableKey`: it has, and there is no key in it that Envoy would take. */
      readonly kind: "notKeySet" | "noUsableKey";
      /** Completes a sentence that ends in `found`. Holds no key material. */
      readonly fault: string;
      readonly help?: string;
    };

/**
 * Takes the keys out of a JSON Web Key Set as Envoy does. Keys at fault are skipped as long as one is left; private halves are not kept.
 * Beside `{"keys": [...]}` Envoy takes an object of PEM certificates by `kid`. Total. Envoy: common/jwt, jwks.cc. Cost: linear, and a
 * curve's equation for each EC key.
 */
export function readKeySet(text: string): KeySetRead {
  const bytes = utf8ByteString(text);
  const json = readStruct(bytes);
  if (!json.ok) return { ok: false, kind: "notKeySet", fault: textFault(bytes, json) };
  const keys = json.value.keys;
  if (keys === undefined) return readCertificateMap(json.value) ?? singleKey();
  if (!isList(keys)) return { ok: false, kind: "notKeySet", fault: `\`keys\` that is a JSON ${kindOf(keys)}` };
  const read = keys.map((key) => (isObject(key) ? readKey(key) : `a JSON ${kindOf(key)} for a key`));
  const usable = read.filter((key) => typeof key !== "string");
  if (usable.length > 0) return { ok: true, keys: usable };
  const [first] = read;
  return {
    ok: false,
    kind: "noUsableKey",
    fault: typeof first === "string" ? `none: the first has ${first}` : "an empty set",
  };
}

function singleKey(): KeySetRead {
  return {
    ok: false,
    kind: "notKeySet",
    fault: "a single key instead of a set",
    help: 'write `{"keys": [KEY]}` around the key',
  };
}

function textFault(bytes: string, { at, fault, repeated }: StructFault): string {
  if (repeated !== undefined) return `the member ${quote(utf8Text(repeated))} twice`;
  return `no JSON: ${fault} at character ${utf8Text(bytes.slice(0, at)).length}`;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
