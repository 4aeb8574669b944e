import { createHash } from "node:crypto";
import { buildBundle } from "#ca/bundle/build-bundle";
import type { AuthoritySet, AuthorityStatus } from "./contract.ts";
import { isAnchor, type LoadedAuthorities, type LoadedAuthority } from "./load-authorities.ts";

/** A restored backup has fewer changes and a higher generation: its sequence is higher all the same. */
const changesPerGeneration = 2 ** 20;

/**
 * What is in force of what is loaded: the active issuing authority, every anchor that is published and not retired, and the keys that no leaf may have. `generation`: of the
 * store, raised by every restore; with the changes of anchors it makes the bundle's sequence, which never goes back.
 */
export function buildAuthoritySet(loaded: LoadedAuthorities, trustDomain: string, generation: number): AuthoritySet {
  const all = [...loaded.roots, ...loaded.issuing];
  const anchors = all.filter(isAnchor);
  const changes = anchors.reduce((sum, { record }) => sum + changesOf(record.state), 0);
  const keys = [
    ...all.flatMap(({ authority, chain }) => [authority, ...chain].map(({ publicKey }) => publicKey.hash)),
    ...loaded.auditKeys.map(({ record }) => createHash("sha256").update(record.certificateDer).digest("hex")),
  ];
  return Object.freeze({
    issuing: loaded.issuing.find(({ record }) => record.state === "active")?.issuing,
    bundle: buildBundle(
      trustDomain,
      generation * changesPerGeneration + changes,
      anchors.filter(({ record }) => changesOf(record.state) === 1).map(({ authority }) => authority.certificate),
    ),
    keyHashes: new Set(keys),
  });
}

/** How often an anchor in this state has changed the bundle: not yet, by coming into it, and by leaving it. */
function changesOf(state: LoadedAuthority["record"]["state"]): 0 | 1 | 2 {
  if (state === "generated") return 0;
  return state === "retired" ? 2 : 1;
}

/** One authority for the status page. */
export function statusOf({ record, authority }: LoadedAuthority): AuthorityStatus {
  return {
    role: record.role === "root" ? "root" : "issuing",
    keyId: record.keyId,
    keyKind: authority.publicKey.kind,
    state: record.state,
    slot: record.slot,
    subject: authority.subject,
    notBeforeMillis: authority.certificate.notBefore.millis,
    notAfterMillis: authority.certificate.notAfter.millis,
    keyHeld: record.encryptedKey !== undefined,
  };
}
