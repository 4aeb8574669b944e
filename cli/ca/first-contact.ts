import { hash } from "node:crypto";
import { rootFingerprintOf } from "#ca/callers/join-token-text";
import { writePem } from "#ca/x509/pem";
import { CodedError } from "#platform/coded-error";
import { UsageFault } from "../usage-fault.ts";
import { clientOf } from "./client.ts";
import type { Door } from "./door.ts";
import { certificatesOf } from "./inspect/read-items.ts";

/**
 * The door with the one root to trust: the authority's bundle is fetched from whoever answers, and of it that certificate is taken whose SHA-256 the join token
 * names. INVARIANT: nothing secret goes over the connection that fetches it, and no other certificate of it is believed. Fails with `UsageFault` for a token that names no
 * root, with `service/root` when the root is not there.
 */
export async function trustRootOf(token: string, door: Door): Promise<Door> {
  const fingerprint = rootFingerprintOf(token);
  if (fingerprint === undefined) {
    throw new UsageFault("the token is no join token, so it names no root: expected --bundle", { hinted: true });
  }
  const unknown = clientOf({ ...door, where: { ...door.where, rejectUnauthorized: false } });
  const pem = await unknown.text("/v1/bundle");
  const root = certificatesIn(pem, door).find((der) => hash("sha256", der, "hex") === fingerprint);
  if (root === undefined) {
    throw new CodedError(
      "service/root",
      `\`${door.name}\` has not the root that the token names (SHA-256 ${fingerprint}): it was replaced since, or this is another authority, or somebody in between`,
    );
  }
  return { ...door, where: { ...door.where, ca: writePem("CERTIFICATE", root) } };
}

function certificatesIn(pem: string, { name }: Door): readonly Uint8Array[] {
  try {
    return certificatesOf(Buffer.from(pem), name);
  } catch (cause) {
    throw new CodedError("service/answer", `\`${name}\` answered with no bundle`, { cause });
  }
}
