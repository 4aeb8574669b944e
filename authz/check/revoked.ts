import type { CheckAttributes } from "#authz/check/attributes/check-attributes";
import { UNKNOWN } from "#authz/engine/attributes";
import type { DenyList } from "#identity/deny-list/deny-list";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { type Refusal, refusal } from "./refusal.ts";

/**
 * Is the peer's certificate, or an identity that it brings, on the deny list? The certificate counts whether or not it was verified, and with `peerIdentity: none`
 * too; identities are those that policies see.
 *
 * | the list holds | known of the peer | then |
 * |---|---|---|
 * | certificates | its fingerprint | refused if listed |
 * | certificates | no fingerprint | goes on, and the status warns |
 * | identities | names | refused if one is listed, whatever kind of name it is |
 * | identities | some names, its URI names not for sure | refused (law 2) |
 * | identities | nothing | refused (law 2) |
 * | any | that it has no certificate | goes on |
 * | is awaited | a fingerprint, names, or nothing | refused: whatever it holds may be listed |
 *
 * Constant time in the list.
 */
export function refuseRevoked(list: DenyList | "awaited", attributes: CheckAttributes): Refusal | undefined {
  if (list === "awaited") {
    const { peer, fingerprint } = attributes;
    return peer === undefined && typeof fingerprint !== "string" ? undefined : refusal("revocations/none");
  }
  if (list.certificates.length > 0) {
    const { fingerprint } = attributes;
    if (typeof fingerprint === "string" && list.hasCertificate(fingerprint)) {
      return revoked(list, `certificate ${fingerprint}`);
    }
  }
  return list.identities.length > 0 ? refuseIdentity(list, attributes) : undefined;
}

function refuseIdentity(list: DenyList, attributes: CheckAttributes): Refusal | undefined {
  const { peer } = attributes;
  if (peer === undefined) return undefined;
  if (peer === UNKNOWN) return revoked(list, "the peer's identity is unknown, and identities are revoked");
  for (const name of peer.names) if (isListed(list, name)) return revoked(list, `identity ${name}`);
  for (const joined of peer.opaque) {
    // A SPIFFE ID has no comma: wherever the names begin and end, a listed one stands between two.
    const name = joined.split(",").find((part) => isListed(list, part));
    if (name !== undefined) return revoked(list, `identity ${name}, one of several names`);
  }
  return attributes.urisKnown
    ? undefined
    : revoked(list, "the URI names of the peer's certificate are not all known, and identities are revoked");
}

/** As it is written, or with scheme and trust domain in lower case (SPIFFE-ID §2: neither depends on case). */
function isListed(list: DenyList, name: ByteString): boolean {
  if (list.hasIdentity(name)) return true;
  const slash = name.indexOf("/", "spiffe://".length);
  if (slash < 0) return false;
  const written = name.slice(0, slash);
  const lower = written.toLowerCase();
  return lower !== written && list.hasIdentity(lower + name.slice(slash));
}

function revoked({ sequence }: DenyList, what: string): Refusal {
  return refusal("revoked", `${what} (deny list ${sequence})`);
}
