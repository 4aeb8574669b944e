import type { KeyObject } from "node:crypto";
import type { AuthorityRecord } from "#ca/store/contract";
import { createAuditKey } from "./audit-key.ts";
import type { AuthorityCertificate } from "./authority-certificate.ts";
import type { AuthorityContext, AuthorityState } from "./authority-state.ts";
import { sealKey } from "./key-envelope.ts";

/** Keeps an authority, its key encrypted for its record. `privateKey` undefined: it is elsewhere. Fails as the store does. */
export async function keepAuthority(
  context: AuthorityContext,
  role: "root" | "issuing",
  state: AuthorityRecord["state"],
  authority: AuthorityCertificate,
  chain: readonly AuthorityCertificate[],
  privateKey: KeyObject | undefined,
  slot: AuthorityRecord["slot"] = undefined,
): Promise<void> {
  const nowMillis = context.clock.nowMillis();
  const owner = { role, keyId: authority.keyId };
  await context.store.addAuthority({
    ...owner,
    state,
    stateMillis: nowMillis,
    slot,
    keyKind: authority.publicKey.kind,
    certificateDer: authority.certificate.der,
    chainDer: chain.map(({ certificate }) => certificate.der),
    encryptedKey:
      privateKey === undefined ? undefined : await sealKey(privateKey, owner, context.keyEncryptionKey, context.random),
    createdMillis: nowMillis,
  });
}

/** Makes and keeps an audit key where there is none. */
export async function keepAuditKey(context: AuthorityContext, state: AuthorityState): Promise<void> {
  if (state.loaded.auditKeys.some(({ auditKey }) => auditKey !== undefined)) return;
  const nowMillis = context.clock.nowMillis();
  const { auditKey, privateKey } = await createAuditKey();
  const owner = { role: "audit", keyId: auditKey.keyId } as const;
  await context.store.addAuthority({
    ...owner,
    state: "active",
    stateMillis: nowMillis,
    slot: undefined,
    keyKind: "Ed25519",
    certificateDer: auditKey.spkiDer,
    chainDer: [],
    encryptedKey: await sealKey(privateKey, owner, context.keyEncryptionKey, context.random),
    createdMillis: nowMillis,
  });
  await state.reload();
}
