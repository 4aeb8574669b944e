import { decodeBase64Url, encodeBase64Url } from "../encoding/base64url.ts";
import { utf8Text } from "../encoding/byte-string.ts";
import { quote } from "../encoding/quote.ts";
import type { Struct, StructList, StructValue } from "../encoding/struct-json.ts";
import { type Curve, curveByAlgorithm, curveByName, isOnCurve } from "./curves.ts";
import type { VerificationKey } from "./key-set.ts";
import { magnitude, toMagnitude } from "./magnitude.ts";
import { modulusFault } from "./rsa-modulus.ts";

/** A key of a set as Envoy takes it (RFC 7517 §4, RFC 7518 §6), or what it has that makes Envoy skip it, in words. */
export function readKey(key: Struct): VerificationKey | string {
  if (typeof key.kty !== "string") return "no `kty` that is text";
  const type = types[key.kty];
  if (type === undefined) return `the unknown \`kty\` ${shown(key.kty)}`;
  const alg = textOf(key, "alg") ?? "";
  if (!type.takes(alg)) return `the \`alg\` ${shown(alg)}, which does not go with \`kty\` ${shown(key.kty)}`;
  const read = type.read(key, alg);
  if (typeof read === "string") return read;
  const verificationKey = { kty: type.kty, kid: textOf(key, "kid") ?? "", alg, ...read };
  return isForSignatures(key) ? verificationKey : { ...verificationKey, otherUse: true };
}

function isForSignatures({ use, key_ops: operations }: Struct): boolean {
  return (use ?? "sig") === "sig" && (!isList(operations) || operations.includes("verify"));
}

function isList(value: StructValue | undefined): value is StructList {
  return Array.isArray(value);
}

type Material = Pick<VerificationKey, "crv" | "jwk">;

interface KeyType {
  readonly kty: VerificationKey["kty"];
  takes(alg: string): boolean;
  read(key: Struct, alg: string): Material | string;
}

const types: Readonly<Record<string, KeyType>> = Object.assign(Object.create(null), {
  RSA: { kty: "RSA", takes: (alg) => /^(?:$|RS|PS)/.test(alg), read: readRsa },
  EC: { kty: "EC", takes: (alg) => /^(?:$|ES)/.test(alg), read: readEc },
  oct: { kty: "oct", takes: (alg) => ["", "HS256", "HS384", "HS512"].includes(alg), read: readOct },
  OKP: { kty: "OKP", takes: (alg) => ["", "EdDSA"].includes(alg), read: readOkp },
} satisfies Record<string, KeyType>);

function readRsa(key: Struct): Material | string {
  const n = bytesOf(key, "n");
  const e = bytesOf(key, "e");
  if (n === undefined) return "no `n` that is base64url";
  if (e === undefined) return "no `e` that is base64url";
  const exponent = magnitude(e);
  if (exponent !== 3n && exponent !== 65537n) {
    return `the exponent ${shown(String(exponent))}, where 3 and 65537 are taken`;
  }
  const modulus = toMagnitude(n);
  const fault = modulusFault(modulus);
  if (fault !== undefined) return fault;
  return { crv: undefined, jwk: { n: encodeBase64Url(modulus), e: encodeBase64Url(toMagnitude(e)) } };
}

function readEc(key: Struct, alg: string): Material | string {
  if (key.crv !== undefined && typeof key.crv !== "string") return "a `crv` that is no text";
  const crv = key.crv ?? "";
  if (alg !== "" && crv !== "" && curveByAlgorithm(alg) !== curveByName(crv)) {
    return `the \`crv\` ${shown(crv)}, which does not go with \`alg\` ${shown(alg)}`;
  }
  const curve: Curve | undefined =
    alg === "" && crv === "" ? curveByName("P-256") : (curveByAlgorithm(alg) ?? curveByName(crv));
  if (curve === undefined) return `the unknown \`crv\` ${shown(crv)}`;
  const x = bytesOf(key, "x");
  const y = bytesOf(key, "y");
  if (x === undefined) return "no `x` that is base64url";
  if (y === undefined) return "no `y` that is base64url";
  const coordinates = [toMagnitude(x, curve.sizeBytes), toMagnitude(y, curve.sizeBytes)] as const;
  if (!isOnCurve(curve, magnitude(coordinates[0]), magnitude(coordinates[1])))
    return "a point that is not on its curve";
  return {
    crv: curve.name,
    jwk: { crv: curve.name, x: encodeBase64Url(coordinates[0]), y: encodeBase64Url(coordinates[1]) },
  };
}

function readOct(key: Struct): Material | string {
  const k = bytesOf(key, "k");
  if (k === undefined) return "no `k` that is base64url";
  return k.length > 0 ? { crv: undefined, jwk: { k: encodeBase64Url(k) } } : "an empty `k`";
}

function readOkp(key: Struct): Material | string {
  const crv = textOf(key, "crv");
  if (crv !== "Ed25519") return crv === undefined ? "no `crv` that is text" : `the unknown \`crv\` ${shown(crv)}`;
  const x = bytesOf(key, "x");
  if (x === undefined) return "no `x` that is base64url";
  if (x.length !== 32) return `an \`x\` of ${x.length} bytes, where Ed25519 has 32`;
  return { crv, jwk: { crv, x: encodeBase64Url(x) } };
}

function textOf(key: Struct, name: string): string | undefined {
  const member = key[name];
  return typeof member === "string" ? member : undefined;
}

function bytesOf(key: Struct, name: string): Uint8Array | undefined {
  const text = textOf(key, name);
  return text === undefined ? undefined : decodeBase64Url(text);
}

function shown(bytes: string): string {
  return quote(utf8Text(bytes));
}
