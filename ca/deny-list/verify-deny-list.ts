import { verify } from "node:crypto";
import type { Certificate } from "#ca/x509/contract";
import { importPublicKey } from "#ca/x509/import-key";
import { SubjectPublicKey } from "#ca/x509/subject-public-key";
import { svidFaults } from "#ca/x509/svid-faults";
import { verifySvid } from "#ca/x509/verify-svid";
import { decodeDenyList } from "#identity/deny-list/decode-deny-list";
import type { DenyList } from "#identity/deny-list/deny-list";
import { quote } from "#identity/encoding/quote";
import type { FaultCode } from "#platform/fault-codes";
import { denyListSignerId, type SignedDenyList } from "./contract.ts";
import { decodeSignedDenyList } from "./decode-signed.ts";
import { signedBytes } from "./signed-bytes.ts";

export interface DenyListQuestion {
  readonly trustDomain: string;
  /** Of the trust domain, as they are now. */
  readonly anchors: readonly Certificate[];
  /** The sequence of the list that is held; undefined: none is. */
  readonly heldSequence: number | undefined;
  /** When the signer's chain must be valid: now; `issue`, for a list that lay on a disk: when it was issued. */
  readonly asOf: { readonly nowMillis: number } | "issue";
}

export type VerifiedDenyList =
  | { readonly ok: true; readonly list: DenyList }
  /** `message`: one line without a final stop. */
  | { readonly ok: false; readonly code: FaultCode; readonly message: string };

/**
 * The list that these bytes are, if it is the trust domain's own: signed by a key whose certificate leads to one of the anchors and is of `denyListSignerId` and
 * nobody else, and not older than the one that is held. One with the same sequence is taken, for it has the same kept revocations: it was signed anew. Never throws.
 */
export function verifyDenyList(bytes: Uint8Array, question: DenyListQuestion): VerifiedDenyList {
  const signed = decodeSignedDenyList(bytes);
  if (signed === undefined) return refused("deny-list/unreadable", "what was sent is no signed deny list");
  const decoded = decodeDenyList(signed.payload);
  if (!decoded.ok) return refused("deny-list/unreadable", `the deny list cannot be read: ${decoded.fault}`);
  const { list } = decoded;
  if (list.trustDomain !== question.trustDomain)
    return refused(
      "deny-list/other-domain",
      `expected the deny list of ${quote(question.trustDomain)}, found that of ${quote(list.trustDomain)}`,
    );
  const fault = signatureFault(signed, list, question);
  if (fault !== undefined) return fault;
  const { heldSequence } = question;
  if (heldSequence !== undefined && list.sequence < heldSequence)
    return refused(
      "deny-list/older",
      `the deny list ${list.sequence} is older than ${heldSequence}, which is in force`,
    );
  return decoded;
}

type Refused = Extract<VerifiedDenyList, { readonly ok: false }>;

function signatureFault(
  { payload, signature, chainDer }: SignedDenyList,
  list: DenyList,
  { trustDomain, anchors, asOf }: DenyListQuestion,
): Refused | undefined {
  const atMillis = asOf === "issue" ? list.issuedMillis : asOf.nowMillis;
  const svid = verifySvid(chainDer, (domain) => (domain === trustDomain ? anchors : undefined), atMillis);
  if (!svid.ok)
    return refused(
      "deny-list/signer",
      `the certificate of the deny list's signer is refused: ${svidFaults[svid.reason]}`,
    );
  const wanted = denyListSignerId(trustDomain);
  if (svid.id.toString() !== wanted)
    return refused(
      "deny-list/signer",
      `expected a deny list signed by ${quote(wanted)}, found ${quote(svid.id.toString())}`,
    );
  const shape = SubjectPublicKey.of(svid.leaf.spkiDer);
  const key = shape?.kind === "P-256" ? importPublicKey(shape) : undefined;
  if (key !== undefined && verify("sha256", signedBytes(payload), { key, dsaEncoding: "ieee-p1363" }, signature))
    return;
  return refused("deny-list/signature", "the signature of the deny list is not its signer's");
}

function refused(code: FaultCode, message: string): Refused {
  return { ok: false, code, message };
}
