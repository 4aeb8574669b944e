import type { Lint } from "../contract.ts";
import { roots } from "../profile-sets.ts";

/** A root signs itself. */
export const rootKeyOfSigner: Lint = {
  id: "root_key_of_signer",
  citation: "RFC 5280 §3.2",
  what: "The key of a root is of the kind that signs it.",
  profiles: roots,
  check: ({ publicKey }, { signerKeyKind }) =>
    publicKey === undefined || publicKey.kind === signerKeyKind
      ? undefined
      : `expected ${signerKeyKind}, found ${publicKey.kind}`,
};
