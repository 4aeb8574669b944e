/** What people are shown of sources and keys. Never a secret. */
import { utf8Text } from "#identity/encoding/byte-string";
import type { VerificationKey } from "#identity/key-set/key-set";
import type { KeySource } from "#identity/key-set/key-source";

/** Longer names are cut. */
const maxLength = 256;

/** A name for people, of one line; not unique. Holds no credential that an address may carry, and no key. */
export function nameOfSource(source: KeySource): string {
  const name = fullName(source).replace(/\p{C}/gu, "?");
  return name.length > maxLength ? `${name.slice(0, maxLength)}...` : name;
}

function fullName(source: KeySource): string {
  switch (source.kind) {
    case "inline":
      return source.name ?? "inline";
    case "uri":
      return withoutCredentials(source.uri);
    case "discovery":
      return withoutCredentials(source.issuer);
  }
}

/** RFC 3986 §3.2.1: what stands before the `@` of the authority is nobody's business, and a query may hold a key. */
export function withoutCredentials(uri: string): string {
  return uri.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/*)[^/?#]*@/, "$1").replace(/\?[^#]+/, "?...");
}

/** What tells a key from others, as text. */
export function shownKey({ kty, kid, alg }: VerificationKey): ShownKey {
  return { kty, kid: utf8Text(kid), alg: utf8Text(alg) };
}

interface ShownKey {
  readonly kty: string;
  readonly kid: string;
  readonly alg: string;
}
