/**
 * A JSON Web Token in compact form (RFC 7515 §7.1, RFC 7519) as Envoy's `jwt_authn` filter reads it, and the words in which
 * Envoy refuses one.
 */

/** ORDER: a fault's `status` is what the client gets, `text` the whole body. Envoy: common/jwt, status.cc. */
export const tokenFaults = {
  missing: { status: 401, text: "Jwt is missing" },
  form: { status: 401, text: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections" },
  headerBase64: { status: 401, text: "Jwt header is an invalid Base64url encoded" },
  headerJson: { status: 401, text: "Jwt header is an invalid JSON" },
  algorithmMissing: { status: 401, text: "Jwt header [alg] field is required and must be a string" },
  algorithmUnknown: { status: 401, text: "Jwt header [alg] is not supported" },
  kidType: { status: 401, text: "Jwt header [kid] field is not a string" },
  payloadBase64: { status: 401, text: "Jwt payload is an invalid Base64url encoded" },
  payloadJson: { status: 401, text: "Jwt payload is an invalid JSON" },
  issType: { status: 401, text: "Jwt payload [iss] field is not a string" },
  subType: { status: 401, text: "Jwt payload [sub] field is not a string" },
  jtiType: { status: 401, text: "Jwt payload [jti] field is not a string" },
  iatType: { status: 401, text: "Jwt payload [iat] field is not an integer" },
  nbfType: { status: 401, text: "Jwt payload [nbf] field is not an integer" },
  expType: { status: 401, text: "Jwt payload [exp] field is not an integer" },
  iatRange: { status: 401, text: "Jwt payload [iat] field is not a positive 64 bit integer" },
  nbfRange: { status: 401, text: "Jwt payload [nbf] field is not a positive 64 bit integer" },
  expRange: { status: 401, text: "Jwt payload [exp] field is not a positive 64 bit integer" },
  audType: { status: 401, text: "Jwt payload [aud] field is not a string or string list" },
  signatureBase64: { status: 401, text: "Jwt signature is an invalid Base64url encoded" },
  issuerUnknown: { status: 401, text: "Jwt issuer is not configured" },
  notYetValid: { status: 401, text: "Jwt not yet valid" },
  expired: { status: 401, text: "Jwt is expired" },
  audience: { status: 403, text: "Audiences in Jwt are not allowed" },
  keysUnusable: { status: 401, text: "Jwks doesn't have any valid public key" },
  keyMissing: { status: 401, text: "Jwks doesn't have key to match kid or alg from Jwt" },
  signature: { status: 401, text: "Jwt verification fails" },
  ed25519Length: { status: 401, text: "Jwt ED25519 signature is wrong length" },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly text: string }>>;
/** Why a token is refused: a key of the table. */
export type TokenFault = keyof typeof tokenFaults;

/** Every `alg` that Envoy knows (RFC 7518 §3.1, RFC 8037). */
export const algorithms = [
  "ES256",
  "ES384",
  "ES512",
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "EdDSA",
] as const;
/** An `alg` that Envoy knows. */
export type Algorithm = (typeof algorithms)[number];

/**
 * The payload's claims: text is byte strings (UTF-8 bytes as characters), as policies compare it. Without a prototype, so that
 * no name of a claim means anything else. Members stand in the order of the text.
 */
export type TokenClaims = { readonly [name: string]: unknown };

/** A token that has the form of one; nothing about it is verified. */
export interface ParsedToken {
  /** The token as it was found. */
  readonly text: string;
  readonly algorithm: Algorithm;
  /** `""`: none. */
  readonly kid: string;
  /** The header has `crit` (RFC 7515 §4.1.11), whatever its value. Envoy does not look at it. */
  readonly critical: boolean;
  readonly claims: TokenClaims;
  /** The second segment as received: what `outputPayloadToHeader` carries. */
  readonly payloadSegment: string;
  /** `header.payload` as received: what was signed. */
  readonly signedText: string;
  readonly signature: Uint8Array;
  /** `""`: none. A byte string, like all claims. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Unix seconds, fractions cut; 0: none. Envoy treats an `exp` of 0 as none. */
  readonly notBefore: number;
  readonly expiresAt: number;
}

export type TokenParse =
  | { readonly ok: true; readonly token: ParsedToken }
  | { readonly ok: false; readonly fault: TokenFault };
