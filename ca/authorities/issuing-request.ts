import type { KeyKind } from "#ca/x509/contract";
import { signTbs } from "#ca/x509/import-key";
import { writePem } from "#ca/x509/pem";
import { assembleCertificate, subjectKeyId } from "#ca/x509/write-certificate";
import { buildIssuingRequest } from "#ca/x509/write-request";
import { hexOf } from "./authority-certificate.ts";
import { issuingCommonName } from "./create-issuing.ts";
import { generateKey } from "./generate-key.ts";
import { checkAuthority, type ImportedAuthority } from "./import-authority.ts";
import type { KeyEncryptionKey } from "./key-encryption-key.ts";
import { openKey, type RandomBytes, sealKey } from "./key-envelope.ts";
import type { NamedText } from "./read-authority-files.ts";
import { organizationOf } from "./sign-authority.ts";

/** An issuing authority that waits for its certificate, to be signed where the root's key is. */
export interface IssuingRequest {
  /** Of the key, as `subjectKeyId` counts it. */
  readonly keyId: string;
  /** PKCS #10, PEM. */
  readonly csrPem: string;
  /** Opens with the key-encryption key and `keyId` alone; to be kept until the certificate is there. */
  readonly sealedKey: Uint8Array;
}

/** A new key for an issuing authority, and the request for its certificate. Nothing is kept here. */
export async function createIssuingRequest(wanted: {
  readonly trustDomain: string;
  readonly keyKind: KeyKind;
  readonly keyEncryptionKey: KeyEncryptionKey;
  readonly random: RandomBytes;
}): Promise<IssuingRequest> {
  const { privateKey, publicKey } = await generateKey(wanted.keyKind);
  const infoDer = buildIssuingRequest({
    organization: organizationOf(wanted.trustDomain),
    commonName: issuingCommonName(publicKey.spkiDer),
    uri: `spiffe://${wanted.trustDomain}`,
    subjectPublicKeyDer: publicKey.spkiDer,
  });
  const csrDer = assembleCertificate(infoDer, publicKey.kind, signTbs(publicKey.kind, privateKey, infoDer));
  const keyId = hexOf(subjectKeyId(publicKey.spkiDer));
  return {
    keyId,
    csrPem: writePem("CERTIFICATE REQUEST", csrDer),
    sealedKey: await sealKey(privateKey, { role: "issuing", keyId }, wanted.keyEncryptionKey, wanted.random),
  };
}

/**
 * Joins the kept key with the certificate that was signed for it, for `Authorities.adopt`. The certificate is checked like one of `importAuthority`; intermediates
 * may stand behind it. Fails with a code of `ca-import/…`, or as `openKey` does.
 */
export async function completeIssuing(signed: {
  readonly request: Pick<IssuingRequest, "keyId" | "sealedKey">;
  readonly keyEncryptionKey: KeyEncryptionKey;
  readonly certificate: NamedText;
  readonly roots: NamedText;
  readonly nowMillis: number;
}): Promise<ImportedAuthority> {
  const { request, certificate, roots } = signed;
  const privateKey = await openKey(
    request.sealedKey,
    { role: "issuing", keyId: request.keyId },
    signed.keyEncryptionKey,
  );
  const key = { name: `the key ${request.keyId}` };
  return checkAuthority({ certificate, key, chain: undefined, roots }, privateKey, signed.nowMillis);
}
