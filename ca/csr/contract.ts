import type { GeneralName } from "#ca/x509/contract";

/** Faults of a request and of its key: the codes of `refusals.ts` that reading one can give. */
export type CsrRefusal =
  | "csr/too-large"
  | "csr/pem"
  | "csr/der"
  | "csr/shape"
  | "csr/signature-algorithm"
  | "csr/signature"
  | "key/kind"
  | "key/weak"
  | "key/blocked";

/** `message` says what was expected and what was found, for the operator; never more of the request than a short excerpt. */
export interface CsrFault {
  readonly code: CsrRefusal;
  readonly message: string;
}

/** What a request asks to be called. Never believed, only compared with the identity. */
export interface CsrNames {
  readonly alternativeNames: readonly GeneralName[];
  /** Texts of all CN attributes. */
  readonly commonNames: readonly string[];
  /** Is the subject empty, or Istio's one organization without a text? */
  readonly subjectIsEmpty: boolean;
  /** Extensions asked for beside the alternative names, dotted. */
  readonly otherExtensions: readonly string[];
}

export type { ProvenCsr } from "./prove-csr.ts";
