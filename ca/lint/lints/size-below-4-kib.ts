import type { Lint } from "../contract.ts";
import { everyProfile } from "../profile-sets.ts";

/** Of a signature, and of what stands around it: tags, lengths, the algorithm. */
const signatureBytes = { "P-256": 72, "P-384": 104, "RSA-2048": 256, "RSA-3072": 384, "RSA-4096": 512 } as const;
const frameBytes = 32;
const limitBytes = 4096;

/** A chain goes over every handshake, in one flight as long as it is small. */
export const sizeBelow4Kib: Lint = {
  id: "size_below_4_kib",
  citation: "Garita's profile",
  what: "With its signature the certificate has fewer than 4096 bytes.",
  profiles: everyProfile,
  check({ body }, { signerKeyKind }) {
    const bytes = body.tbsDer.length + signatureBytes[signerKeyKind] + frameBytes;
    return bytes < limitBytes ? undefined : `expected fewer than ${limitBytes} bytes, found up to ${bytes}`;
  },
};
