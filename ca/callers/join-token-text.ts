import { hash } from "node:crypto";

/**
 * A join token is `garita-join-1~SECRET~ROOT`: the version, 32 random bytes, and the SHA-256 of the DER of the authority's root, both in base64url. With the root a
 * client verifies its first contact, so that no file needs to be carried to a new machine but the token. All characters may stand in an
 * `Authorization` header (RFC 6750 §2.1), in a shell and in a file of variables. No token of an issuer looks like one.
 */
const family = "garita-join-";
const version = "1";
const form = /^garita-join-1~([A-Za-z0-9_-]{43})~([A-Za-z0-9_-]{43})$/;

export const joinSecretBytes = 32;

export interface JoinTokenParts {
  /** SHA-256 of the secret's bytes, hex: by this, and by nothing else, the store knows the token. */
  readonly hash: string;
  /** SHA-256 of the root certificate's DER, hex. */
  readonly rootFingerprint: string;
}

/** Does the text begin as a join token does, of any version? Such a text is a secret. */
export function isJoinToken(text: string): boolean {
  return text.startsWith(family);
}

/** Takes a join token apart, strictly: one text for each token. Undefined when it is none of this version. */
export function parseJoinToken(text: string): JoinTokenParts | undefined {
  const [, secretText = "", rootText = ""] = form.exec(text) ?? [];
  const secret = exactly(secretText);
  const root = exactly(rootText);
  if (secret === undefined || root === undefined) return undefined;
  return { hash: joinSecretHash(secret), rootFingerprint: root.toString("hex") };
}

/** The token of a secret of 32 bytes and the fingerprint (SHA-256, hex) of the root. Throws a plain `Error` for other lengths. */
export function renderJoinToken(secret: Uint8Array, rootFingerprint: string): string {
  if (secret.length !== joinSecretBytes) throw new Error("a join token's secret has 32 bytes");
  if (!/^[0-9a-f]{64}$/.test(rootFingerprint)) throw new Error("a fingerprint has 64 hexadecimal digits");
  const root = Buffer.from(rootFingerprint, "hex").toString("base64url");
  return `${family}${version}~${Buffer.from(secret).toString("base64url")}~${root}`;
}

/** What the store keeps of a secret. A plain hash will do: nobody guesses 256 random bits. */
export function joinSecretHash(secret: Uint8Array): string {
  return hash("sha256", secret, "hex");
}

/**
 * For clients: the SHA-256 (hex) that the DER of one certificate of the chain of the first contact must have, its root's. Undefined when the text is no join token.
 */
export function rootFingerprintOf(token: string): string | undefined {
  return parseJoinToken(token)?.rootFingerprint;
}

/** RFC 4648 §3.5: the loose bits of the last character are zero, as whoever made the text wrote them. */
function exactly(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.length === 32 && bytes.toString("base64url") === text ? bytes : undefined;
}
