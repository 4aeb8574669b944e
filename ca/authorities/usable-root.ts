import type { FaultCode } from "#platform/fault-codes";
import { isSelfIssued } from "./authority-certificate.ts";
import type { LoadedAuthorities, LoadedAuthority } from "./load-authorities.ts";

export type UsableRoot =
  | { readonly ok: true; readonly root: LoadedAuthority; readonly encryptedKey: Uint8Array }
  | { readonly ok: false; readonly code: FaultCode; readonly message: string };

/** The root under which issuing authorities are made here, or why none are. */
export function usableRoot(loaded: LoadedAuthorities): UsableRoot {
  const issuing = activeIssuing(loaded);
  if (issuing !== undefined && isSelfIssued(issuing.authority.certificate))
    return {
      ok: false,
      code: "ca-authority/self-signed",
      message: `the root \`${issuing.authority.subject}\` signs leaves itself: no issuing authority is made under it`,
    };
  const root = loaded.roots.find(({ record }) => record.state === "active");
  if (root === undefined)
    return { ok: false, code: "ca-authority/none", message: "there is no root: `garita ca init` makes one" };
  const { encryptedKey } = root.record;
  if (encryptedKey !== undefined) return { ok: true, root, encryptedKey };
  return {
    ok: false,
    code: "ca-authority/root-key-elsewhere",
    message: `the private key of the root \`${root.authority.subject}\` is not here: \`garita ca init --request FOLDER\` makes a request for an issuing authority, to be signed where it is`,
  };
}

/** The one that signs leaves. */
export function activeIssuing(loaded: LoadedAuthorities): LoadedAuthority | undefined {
  return loaded.issuing.find(({ record }) => record.state === "active");
}
