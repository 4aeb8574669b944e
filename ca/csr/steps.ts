import type { CsrRefusal } from "./contract.ts";

/** What is looked at in a request, in this order; the first that fails ends it. */
export const csrSteps = ["pem", "der", "shape", "key kind", "signature algorithm", "key policy", "signature"] as const;
export type CsrStep = (typeof csrSteps)[number];

/** The step that gives a fault: all before it have passed. */
export function csrStepOf(code: CsrRefusal): CsrStep {
  return steps[code];
}

const steps: Readonly<Record<CsrRefusal, CsrStep>> = {
  "csr/too-large": "pem",
  "csr/pem": "pem",
  "csr/der": "der",
  "csr/shape": "shape",
  "key/kind": "key kind",
  "csr/signature-algorithm": "signature algorithm",
  "key/blocked": "key policy",
  "key/weak": "key policy",
  "csr/signature": "signature",
};
