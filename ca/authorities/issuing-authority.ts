import { createPublicKey, type KeyObject } from "node:crypto";
import { LintedTemplate } from "#ca/lint/linted-template";
import { signatureAlgorithmOf } from "#ca/x509/algorithms";
import { sameBytes } from "#ca/x509/bytes";
import { signTbs, verifySignature } from "#ca/x509/import-key";
import { writePem } from "#ca/x509/pem";
import { assembleCertificate } from "#ca/x509/write-certificate";
import type { AuthorityCertificate } from "./authority-certificate.ts";
import type { IssuingAuthority } from "./contract.ts";

/**
 * An authority that signs leaves. `path`: from its own certificate up to the root, both included. INVARIANT: the private key is reachable by `sign` alone, which
 * takes what was linted as a leaf of this very authority, and throws for anything else. It ends when the first certificate of its path does.
 * Not checked: the path. Throws when the key does not belong to the certificate.
 */
export function createIssuingAuthority(path: readonly AuthorityCertificate[], privateKey: KeyObject): IssuingAuthority {
  const [own, ...above] = path;
  if (own === undefined) throw new Error("an authority needs a certificate");
  if (!fitsCertificate(privateKey, own)) throw new Error("the key of an authority does not belong to its certificate");
  const { certificate, publicKey, verifyKey, names } = own;
  const keyKind = publicKey.kind;
  const algorithm = signatureAlgorithmOf(keyKind);
  const isSigner = ({ context }: LintedTemplate): boolean =>
    context.profile === "leaf" &&
    context.signerKeyKind === keyKind &&
    context.issuer !== undefined &&
    (context.issuer.body === certificate || sameBytes(context.issuer.body.tbsDer, certificate.tbsDer));
  return Object.freeze({
    keyId: own.keyId,
    keyKind,
    certificate,
    names,
    notAfterMillis: Math.min(...path.map((authority) => authority.certificate.notAfter.millis)),
    root: (path.at(-1) ?? own).certificate,
    // The root is in the bundle: an answer ends with that.
    chainPem: above.length === 0 ? [] : path.slice(0, -1).map((authority) => certificatePem(authority)),
    sign(linted: LintedTemplate) {
      if (!LintedTemplate.is(linted) || !isSigner(linted))
        throw new Error("what was linted is no leaf of this authority");
      const { tbsDer } = linted.body;
      return assembleCertificate(tbsDer, keyKind, signTbs(keyKind, privateKey, tbsDer));
    },
    verify: (tbsDer: Uint8Array, signature: Uint8Array) => verifySignature(algorithm, verifyKey, tbsDer, signature),
  });
}

/**
 * Is it the private half of the certificate's key? The public half that a file or an envelope carries beside it is not believed: a signature is made and
 * verified by the certificate's key. False as well for a key that cannot sign.
 */
export function fitsCertificate(privateKey: KeyObject, authority: AuthorityCertificate): boolean {
  const { publicKey, verifyKey } = authority;
  try {
    const spkiDer = createPublicKey(privateKey).export({ type: "spki", format: "der" });
    if (!sameBytes(spkiDer, publicKey.spkiDer)) return false;
    const signature = signTbs(publicKey.kind, privateKey, trialBytes);
    return verifySignature(signatureAlgorithmOf(publicKey.kind), verifyKey, trialBytes, signature);
  } catch {
    return false; // OpenSSL refuses keys whose parts contradict each other.
  }
}

/** No DER: what is signed here is never the body of a certificate. */
const trialBytes = Buffer.from("garita: does this private key belong to its certificate?");

function certificatePem({ certificate }: AuthorityCertificate): string {
  return writePem("CERTIFICATE", certificate.der);
}
