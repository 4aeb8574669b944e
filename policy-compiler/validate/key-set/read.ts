import { quote } from "#identity/encoding/quote";
import { isBase64ForIstio } from "./base64.ts";
import { type JsonValue, memberOf, readJson } from "./json-text.ts";

export interface ReadKey {
  readonly kty: string;
  /** Has a private half, or is symmetric: more than a verifier should be given. */
  readonly secret: boolean;
}

export type KeySetRead =
  | { readonly ok: true; readonly keys: readonly ReadKey[] }
  /** `fault` completes a sentence that ends in `found`. */
  | { readonly ok: false; readonly fault: string };

/** The members that a key must have, by its type; those of `d` and its like when the key has a private half. */
const requiredMembers: Readonly<
  Record<string, { readonly public: readonly string[]; readonly secret: readonly string[] }>
> = {
  RSA: { public: ["e", "n"], secret: ["d", "e", "n"] },
  EC: { public: ["crv", "x", "y"], secret: ["crv", "d", "x", "y"] },
  OKP: { public: ["crv", "x"], secret: ["crv", "d", "x"] },
  oct: { public: ["k"], secret: ["k"] },
};

/** Members whose text is base64, by the type of the key; those of the private half only where there is one. */
const base64Members: Readonly<
  Record<string, { readonly public: readonly string[]; readonly secret: readonly string[] }>
> = {
  RSA: { public: ["e", "n"], secret: ["d", "dp", "dq", "e", "n", "p", "q", "qi"] },
  EC: { public: ["x", "y"], secret: ["d", "x", "y"] },
  OKP: { public: ["x"], secret: ["d", "x"] },
  oct: { public: ["k"], secret: ["k"] },
};

const textMembers = ["alg", "kid", "use", "x5t", "x5t#S256"] as const;

/**
 * Reads the text of an inline `jwks` as Istio's validation does: one JSON object, which is a set (`keys`) or a single key, and
 * every key of which has a known type and the members that the type needs. Whether the numbers in it make a key nobody asks
 * there. Certificates in `x5c` are looked at no further than their base64. Istio: RequestAuthentication, jwks.
 */
export function readKeySet(text: string): KeySetRead {
  const json = readJson(text);
  if (!json.ok) return { ok: false, fault: `${json.fault} at character ${json.at}` };
  const set = json.value;
  if (set.kind !== "object") return { ok: false, fault: `a JSON ${set.kind}` };
  const lists = set.members.filter(({ name }) => name === "keys");
  if (lists.length === 0) return readKeys([set], "a JSON object without `keys` that is no single key either");
  const keys: JsonValue[] = [];
  for (const { value } of lists) {
    if (value.kind === "array") keys.push(...value.items);
    else if (value.kind !== "null") return { ok: false, fault: `\`keys\` that is a JSON ${value.kind}` };
  }
  return readKeys(keys, undefined);
}

function readKeys(values: readonly JsonValue[], instead: string | undefined): KeySetRead {
  const keys: ReadKey[] = [];
  for (const [i, value] of values.entries()) {
    const key = readKey(value);
    if (typeof key === "string") return { ok: false, fault: instead ?? `${key} in the key at index ${i}` };
    keys.push(key);
  }
  return { ok: true, keys };
}

function readKey(value: JsonValue): ReadKey | string {
  if (value.kind !== "object") return `a JSON ${value.kind}`;
  // Istio looks for the type and the private half without regard to case, and for everything else exactly.
  const types = foldedMembers(value, "kty").filter(({ kind }) => kind !== "null");
  const kty = types.findLast((member) => member.kind === "string");
  if (kty === undefined || types.some(({ kind }) => kind !== "string")) return "no `kty` that is text";
  const required = requiredMembers[kty.value];
  const base64 = base64Members[kty.value];
  if (required === undefined || base64 === undefined || !Object.hasOwn(requiredMembers, kty.value)) {
    return `the unknown \`kty\` ${quote(kty.value)}`;
  }
  const half = foldedMembers(value, "d").length === 0 ? "public" : "secret";
  for (const { name, value: member } of value.members) {
    const fault = memberFault(name, member, kty.value, base64[half]);
    if (fault !== undefined) return fault;
  }
  for (const name of required[half]) if (memberOf(value, name) === undefined) return `no ${quote(name)}`;
  return { kty: kty.value, secret: half === "secret" || kty.value === "oct" };
}

function memberFault(name: string, value: JsonValue, kty: string, base64: readonly string[]): string | undefined {
  const isText = value.kind === "string" || value.kind === "null";
  const notText = `${quote(name)} that is no text`;
  if (name === "kty")
    return value.kind === "string" && value.value === kty ? undefined : "two members of the name `kty`";
  if (base64.includes(name)) {
    if (!isText) return notText;
    return value.kind === "null" || isBase64ForIstio(value.value) ? undefined : `${quote(name)} that is no base64`;
  }
  if (textMembers.some((member) => member === name)) return isText ? undefined : notText;
  if (name === "crv" && (kty === "EC" || kty === "OKP")) return isText ? undefined : notText;
  if (name === "key_ops" || name === "x5c") {
    if (value.kind === "null") return undefined;
    if (value.kind !== "array") return `${quote(name)} that is no list`;
    const odd = value.items.some((item) => item.kind !== "string" && item.kind !== "null");
    if (odd) return `${quote(name)} with an item that is no text`;
    if (name === "x5c") return certificatesFault(value.items);
  }
  return undefined;
}

function certificatesFault(items: readonly JsonValue[]): string | undefined {
  const bad = items.some((item) => item.kind !== "string" || !looksLikeCertificate(item.value));
  return bad ? "`x5c` with an item that is no certificate" : undefined;
}

/** Base64 of a DER sequence of more than 256 bytes, as every X.509 certificate is. */
function looksLikeCertificate(text: string): boolean {
  return text.startsWith("MII") && text.length > 300 && isBase64ForIstio(text);
}

function foldedMembers(value: JsonValue, name: string): readonly JsonValue[] {
  if (value.kind !== "object") return [];
  return value.members.filter((member) => member.name.toLowerCase() === name).map((member) => member.value);
}
