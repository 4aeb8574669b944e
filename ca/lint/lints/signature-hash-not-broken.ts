import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** MD2, MD5 and SHA-1, with RSA, DSA and ECDSA. */
const broken: ReadonlySet<string> = new Set([
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.2.840.10040.4.3",
  "1.2.840.10045.4.1",
]);

/** Said by itself, though the exact comparison refuses it too: this one is no slip of an encoder. */
export const signatureHashNotBroken: Lint = {
  id: "signature_hash_not_broken",
  citation: "RFC 6151 §2, RFC 6194 §3",
  what: "The signature algorithm does not rest on MD2, MD5 or SHA-1.",
  profiles: everyProfile,
  check({ signatureAlgorithm }) {
    const oid = signatureAlgorithm?.oid;
    return oid !== undefined && broken.has(oid)
      ? `expected SHA-256 or SHA-384, found a broken hash in ${oid}`
      : undefined;
  },
};
