import { quote } from "../quote.ts";
import { decodeBase64ForEnvoy } from "./base64.ts";
import { type Curve, curveByAlgorithm, curveByName, isOnCurve } from "./curves.ts";
import { type JsonValue, memberOf, readJson } from "./json-text.ts";

export type UsableKeys =
  | { readonly ok: true; readonly count: number }
  /** `fault` completes a sentence that ends in `found`. */
  | { readonly ok: false; readonly fault: string; readonly help?: string };

/**
 * Counts the keys of an inline `jwks` that Envoy's JWKS parser can use; with none it refuses the listener, and with it everything
 * that the policy was to guard. Keys at fault are skipped as long as one is left. Envoy: jwt_authn, local_jwks.
 */
export function usableKeys(text: string): UsableKeys {
  const json = readJson(text);
  if (!json.ok) return { ok: false, fault: `no JSON: ${json.fault} at character ${json.at}` };
  if (text.slice(json.end).trim() !== "") return { ok: false, fault: "text behind the JSON value" };
  const flaw = jsonFlaw(json.value);
  if (flaw !== undefined) return { ok: false, fault: flaw };
  const keys = memberOf(json.value, "keys");
  if (keys === undefined) {
    return { ok: false, fault: "a single key instead of a set", help: 'write `{"keys": [KEY]}` around the key' };
  }
  if (keys.kind !== "array") return { ok: false, fault: `\`keys\` that is a JSON ${keys.kind}` };
  const faults = keys.items.map((key) => keyFault(key));
  const count = faults.filter((fault) => fault === undefined).length;
  if (count > 0) return { ok: true, count };
  const [first] = faults;
  return { ok: false, fault: first === undefined ? "an empty set" : `none: the first has ${first}` };
}

/** What Envoy's JSON reader refuses in any place: a member twice, or half a surrogate pair. */
function jsonFlaw(value: JsonValue): string | undefined {
  switch (value.kind) {
    case "string":
      return value.value.isWellFormed() ? undefined : "text with half a surrogate pair";
    case "array":
      return firstFlaw(value.items);
    case "object": {
      const names = new Set<string>();
      for (const { name } of value.members) {
        if (names.has(name)) return `the member ${quote(name)} twice`;
        if (!name.isWellFormed()) return "a member name with half a surrogate pair";
        names.add(name);
      }
      return firstFlaw(value.members.map((member) => member.value));
    }
    default:
      return undefined;
  }
}

function firstFlaw(values: readonly JsonValue[]): string | undefined {
  for (const value of values) {
    const flaw = jsonFlaw(value);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

/** Why Envoy skips a key, or undefined when it takes it. */
function keyFault(key: JsonValue): string | undefined {
  if (key.kind !== "object") return `a JSON ${key.kind} for a key`;
  const kty = memberOf(key, "kty");
  if (kty?.kind !== "string") return "no `kty` that is text";
  const alg = textOf(key, "alg") ?? "";
  switch (kty.value) {
    case "RSA":
      return /^(?:$|RS|PS)/.test(alg) ? rsaFault(key) : algorithmFault(kty.value, alg);
    case "EC":
      return /^(?:$|ES)/.test(alg) ? ecFault(key, alg) : algorithmFault(kty.value, alg);
    case "oct":
      return ["", "HS256", "HS384", "HS512"].includes(alg) ? octFault(key) : algorithmFault(kty.value, alg);
    case "OKP":
      return ["", "EdDSA"].includes(alg) ? okpFault(key) : algorithmFault(kty.value, alg);
    default:
      return `the unknown \`kty\` ${quote(kty.value)}`;
  }
}

function algorithmFault(kty: string, alg: string): string {
  return `the \`alg\` ${quote(alg)}, which does not go with \`kty\` ${quote(kty)}`;
}

/** Smallest and largest RSA modulus of Envoy's cryptographic library, in bits. */
const modulusBits = { least: 512, most: 16 * 1024 };

function rsaFault(key: JsonValue): string | undefined {
  const n = numberOf(key, "n");
  const e = numberOf(key, "e");
  if (n === undefined) return "no `n` that is base64url";
  if (e === undefined) return "no `e` that is base64url";
  if (e !== 3n && e !== 65537n) return `the exponent ${quote(String(e))}, where 3 and 65537 are taken`;
  const bits = n === 0n ? 0 : n.toString(2).length;
  if (bits < modulusBits.least || bits > modulusBits.most) {
    return `a modulus of ${bits} bits, where ${modulusBits.least} to ${modulusBits.most} are taken`;
  }
  return n % 2n === 1n ? undefined : "an even modulus";
}

function ecFault(key: JsonValue, alg: string): string | undefined {
  const crvMember = memberOf(key, "crv");
  if (crvMember !== undefined && crvMember.kind !== "string") return "a `crv` that is no text";
  const crv = crvMember?.value ?? "";
  if (alg !== "" && crv !== "" && curveByAlgorithm(alg) !== curveByName(crv)) {
    return `the \`crv\` ${quote(crv)}, which does not go with \`alg\` ${quote(alg)}`;
  }
  const curve: Curve | undefined =
    alg === "" && crv === "" ? curveByName("P-256") : (curveByAlgorithm(alg) ?? curveByName(crv));
  if (curve === undefined) return `the unknown \`crv\` ${quote(crv)}`;
  const x = numberOf(key, "x");
  const y = numberOf(key, "y");
  if (x === undefined) return "no `x` that is base64url";
  if (y === undefined) return "no `y` that is base64url";
  return isOnCurve(curve, x, y) ? undefined : "a point that is not on its curve";
}

function octFault(key: JsonValue): string | undefined {
  const k = bytesOf(key, "k");
  if (k === undefined) return "no `k` that is base64url";
  return k.length > 0 ? undefined : "an empty `k`";
}

function okpFault(key: JsonValue): string | undefined {
  const crv = textOf(key, "crv");
  if (crv !== "Ed25519") return crv === undefined ? "no `crv` that is text" : `the unknown \`crv\` ${quote(crv)}`;
  const x = bytesOf(key, "x");
  if (x === undefined) return "no `x` that is base64url";
  return x.length === 32 ? undefined : `an \`x\` of ${x.length} bytes, where Ed25519 has 32`;
}

function textOf(key: JsonValue, name: string): string | undefined {
  const member = memberOf(key, name);
  return member?.kind === "string" ? member.value : undefined;
}

function bytesOf(key: JsonValue, name: string): readonly number[] | undefined {
  const text = textOf(key, name);
  return text === undefined ? undefined : decodeBase64ForEnvoy(text);
}

/** Big-endian, leading zeros permitted; no bytes are zero. */
function numberOf(key: JsonValue, name: string): bigint | undefined {
  const bytes = bytesOf(key, name);
  if (bytes === undefined) return undefined;
  return BigInt(`0x0${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`);
}
