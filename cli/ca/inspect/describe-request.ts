import { parseCsr } from "#ca/csr/parse-csr";
import { importPublicKey, verifySignature } from "#ca/x509/import-key";
import { writePem } from "#ca/x509/pem";
import { nameText, spiffeIdOf } from "./describe-certificate.ts";
import { type DescribedKey, describeKey } from "./describe-key.ts";

/** A certificate request at a glance. */
export interface DescribedRequest {
  readonly kind: "request";
  readonly spiffeId: string | undefined;
  /** Texts of its common names. */
  readonly commonNames: readonly string[];
  readonly names: readonly string[];
  readonly key: DescribedKey;
  readonly signature: string;
  /** Is it signed by its own key? */
  readonly proven: boolean;
  readonly odd: readonly string[];
}

export type RequestReading =
  | { readonly ok: true; readonly value: DescribedRequest }
  | { readonly ok: false; readonly fault: { readonly code: string; readonly message: string } };

/** Reads a request as the authority does, whose refusals are answered, and says what it asks for. */
export function describeRequest(der: Uint8Array): RequestReading {
  const parsed = parseCsr(writePem("CERTIFICATE REQUEST", der));
  if (!parsed.ok) return { ok: false, fault: parsed.fault };
  const { names, publicKey, algorithm, signedDer, signature } = parsed.csr;
  const key = importPublicKey(publicKey);
  const proven = key !== undefined && verifySignature(algorithm, key, signedDer, signature);
  return {
    ok: true,
    value: {
      kind: "request",
      spiffeId: spiffeIdOf(names.alternativeNames),
      commonNames: names.commonNames,
      names: names.alternativeNames.map(nameText),
      key: describeKey(publicKey.spkiDer),
      signature: algorithm.name,
      proven,
      odd: [
        ...(key === undefined ? ["the key is no point of its curve"] : []),
        ...(proven || key === undefined ? [] : ["not signed by its own key: it will be refused"]),
        ...(names.subjectIsEmpty ? [] : ["a subject: it is not believed, and not taken over"]),
        ...names.otherExtensions.map((oid) => `asks for the extension ${oid}, which is not given`),
      ],
    },
  };
}
