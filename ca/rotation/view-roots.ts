import { isSelfIssued } from "#ca/authorities/authority-certificate";
import { findPath } from "#ca/authorities/find-path";
import { isAnchor, type LoadedAuthorities, type LoadedAuthority } from "#ca/authorities/load-authorities";
import { activeIssuing } from "#ca/authorities/usable-root";
import type { RootView, RotationView } from "./contract.ts";

/** Signatures of authorities that were verified once. */
const rootsAbove = new WeakMap<LoadedAuthority, string | undefined>();

/** The trust anchors and what stands under each, retired authorities too: leaves may outlive what is kept of them. */
export function viewRoots(
  loaded: LoadedAuthorities,
): Pick<RotationView, "roots" | "rootOfIssuer" | "signingRootKeyId"> {
  const anchors = [...loaded.roots, ...loaded.issuing].filter(isAnchor);
  const rootOfIssuer = new Map<string, string>();
  for (const issuing of loaded.issuing) {
    const rootKeyId = rootAbove(issuing, loaded.roots);
    if (rootKeyId !== undefined) rootOfIssuer.set(issuing.record.keyId, rootKeyId);
  }
  return {
    roots: anchors.map(
      ({ record: { keyId, state, stateMillis }, authority }): RootView => ({
        keyId,
        subject: authority.subject,
        state,
        stateMillis,
        notAfterMillis: authority.certificate.notAfter.millis,
      }),
    ),
    rootOfIssuer,
    signingRootKeyId: activeIssuing(loaded)?.path.at(-1)?.keyId,
  };
}

function rootAbove(issuing: LoadedAuthority, roots: readonly LoadedAuthority[]): string | undefined {
  const { authority, chain, path } = issuing;
  if (path.length > 0) return path.at(-1)!.keyId;
  if (isSelfIssued(authority.certificate)) return authority.keyId;
  if (!rootsAbove.has(issuing)) {
    const found = findPath(
      authority,
      chain,
      roots.map((root) => root.authority),
    );
    rootsAbove.set(issuing, found.ok ? found.path.at(-1)!.keyId : undefined);
  }
  return rootsAbove.get(issuing);
}
