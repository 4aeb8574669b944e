import { hash } from "node:crypto";
import type { TrustBundle } from "#ca/authorities/contract";
import { rootFingerprintOf } from "#ca/callers/join-token-text";
import type { Certificate } from "#ca/x509/contract";
import { readCertificate } from "#ca/x509/read-certificate";
import { CodedError, messageOf } from "#platform/coded-error";
import { acceptBundle } from "./accept-bundle.ts";
import type { Attest } from "./contract.ts";

/** How an agent proves itself without a certificate. */
export type Attestation =
  /** The token in the file names the root. */
  | { readonly kind: "join-token"; readonly file: string }
  | {
      readonly kind: "jwt";
      readonly file: string;
      readonly roots:
        | { readonly kind: "file"; readonly file: string }
        /** SHA-256 of the root's DER, hex. */
        | { readonly kind: "fingerprint"; readonly sha256: string };
    };

export interface AttestParts {
  readonly attestation: Attestation;
  readonly trustDomain: string;
  /** The text of a file that nobody else may read, without its last line break. */
  readonly readPrivateSecret: (file: string) => Promise<string>;
  /** The text of a secret that others of the machine may read: whoever rotates tokens decides. */
  readonly readSecret: (file: string) => Promise<string>;
  readonly readText: (file: string) => Promise<string>;
  /** The certificates (DER) that the authority's door shows to whoever comes. */
  readonly shownByServer: () => Promise<readonly Uint8Array[]>;
}

/**
 * The secret of the file, read anew each time, and whom to trust: the bundle that is known, where it has the root in question, else the file's, or of what the server
 * shows the one certificate with the right fingerprint. INVARIANT: nothing secret goes over a connection whose server is not verified by these anchors.
 */
export function createAttest(parts: AttestParts): Attest {
  const { attestation, trustDomain } = parts;
  const read = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (cause) {
      throw new CodedError("agent/attestation", `${what}: ${messageOf(cause)}`, { cause });
    }
  };
  const byFingerprint = async (sha256: string, known: TrustBundle | undefined): Promise<readonly Certificate[]> => {
    if (known?.anchors.some(({ der }) => hash("sha256", der, "hex") === sha256)) return known.anchors;
    const shown = await parts.shownByServer().catch((cause: unknown) => {
      throw new CodedError("agent/unreachable", `the authority cannot be reached: ${messageOf(cause)}`, { cause });
    });
    const root = shown.find((der) => hash("sha256", der, "hex") === sha256);
    const certificate = root === undefined ? undefined : readCertificate(root);
    if (certificate?.ok !== true)
      throw new CodedError(
        "agent/root",
        `the server does not show the root with the SHA-256 ${sha256}: it was replaced since, or this is another authority, or somebody in between`,
      );
    return [certificate.value];
  };
  return async (known) => {
    if (attestation.kind === "join-token") {
      const token = await read("no join token", () => parts.readPrivateSecret(attestation.file));
      const sha256 = rootFingerprintOf(token);
      if (sha256 === undefined)
        throw new CodedError("agent/attestation", `\`${attestation.file}\` holds no join token`);
      return { token, anchors: await byFingerprint(sha256, known) };
    }
    const { file, roots } = attestation;
    const token = await read("no token", () => parts.readSecret(file));
    if (known !== undefined) return { token, anchors: known.anchors };
    if (roots.kind === "fingerprint") return { token, anchors: await byFingerprint(roots.sha256, undefined) };
    const pem = await read("no roots", () => parts.readText(roots.file));
    return { token, anchors: acceptBundle(pem, trustDomain, 1).anchors };
  };
}
