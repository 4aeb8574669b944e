import { importPublicKey, verifySignature } from "#ca/x509/import-key";
import type { SubjectPublicKey } from "#ca/x509/subject-public-key";
import type { CsrFault, CsrNames } from "./contract.ts";
import type { KeyPolicy } from "./key-policy.ts";
import type { ParsedCsr } from "./parse-csr.ts";

/**
 * A certificate request of which every byte was looked at, whose key is good, and whose private key was proven to be held. INVARIANT: `proveCsr` is the only way to
 * get one.
 */
export class ProvenCsr {
  /** Only `proveCsr` makes one: an object that merely looks like it is none. */
  readonly #proven = true;
  readonly der: Uint8Array;
  readonly publicKey: SubjectPublicKey;
  readonly names: CsrNames;

  private constructor({ der, publicKey, names }: ParsedCsr) {
    this.der = der;
    this.publicKey = publicKey;
    this.names = names;
  }

  static is(value: object): value is ProvenCsr {
    return #proven in value && value.#proven;
  }

  /** See `proveCsr`. */
  static prove(csr: ParsedCsr, policy: KeyPolicy): ProvenCsrResult {
    const unfit = policy.fault(csr.publicKey);
    if (unfit !== undefined) return { ok: false, fault: unfit };
    const key = importPublicKey(csr.publicKey);
    if (key === undefined)
      return { ok: false, fault: { code: "key/kind", message: `expected a point on the curve ${csr.publicKey.kind}` } };
    if (!verifySignature(csr.algorithm, key, csr.signedDer, csr.signature))
      return {
        ok: false,
        fault: { code: "csr/signature", message: `${csr.algorithm.name} by its own key does not verify` },
      };
    return { ok: true, csr: new ProvenCsr(csr) };
  }
}

export type ProvenCsrResult =
  | { readonly ok: true; readonly csr: ProvenCsr }
  | { readonly ok: false; readonly fault: CsrFault };

/**
 * Judges the key of a request, imports it, and verifies that the request is signed by it; the first fault ends it. ORDER: no key is imported that the policy refuses.
 * Never throws. Cost: one verification; for an RSA key seen the first time the search for its weaknesses as well.
 */
export function proveCsr(csr: ParsedCsr, policy: KeyPolicy): ProvenCsrResult {
  return ProvenCsr.prove(csr, policy);
}
