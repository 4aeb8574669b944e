import { CodedError } from "#platform/coded-error";
import type { AuthorityContext, AuthorityState } from "./authority-state.ts";
import { createIssuing } from "./create-issuing.ts";
import { keepAuthority } from "./keep-authority.ts";
import { openKey } from "./key-envelope.ts";
import type { LoadedAuthority } from "./load-authorities.ts";
import { selfTest } from "./self-test.ts";
import { freeSlot } from "./slots.ts";

/**
 * Makes an issuing authority under a root whose key is here and keeps it, prepared, in the place that is free. Answers its key id. Not tested yet. Fails with
 * `ca-authority/root-expiring`, `ca-authority/lint`, or as `openKey` and the store do.
 */
export async function prepareIssuing(
  context: AuthorityContext,
  state: AuthorityState,
  root: LoadedAuthority,
): Promise<string> {
  const { authority, record } = root;
  if (record.encryptedKey === undefined) throw new Error(`the key of the root \`${record.keyId}\` is not here`);
  const { authority: created, privateKey } = await createIssuing({
    trustDomain: context.trustDomain,
    keyKind: context.settings.issuingKeyKind,
    lifetimeMillis: context.settings.issuingLifetimeMillis,
    nowMillis: context.clock.nowMillis(),
    random: context.random,
    // The root's key is opened for this one signature, and not kept.
    root: { authority, privateKey: await openKey(record.encryptedKey, record, context.keyEncryptionKey) },
  });
  const slot = freeSlot(state.loaded, record.keyId);
  await keepAuthority(context, "issuing", "prepared", created, [], privateKey, slot);
  await state.reload();
  return created.keyId;
}

/** Why a prepared issuing authority is not put in force; undefined: it works, a throwaway certificate of it was verified up to its root. */
export async function testPrepared(
  { trustDomain, clock, random }: AuthorityContext,
  state: AuthorityState,
  keyId: string,
): Promise<CodedError | undefined> {
  const prepared = state.loaded.issuing.find(({ record }) => record.keyId === keyId);
  if (prepared?.issuing === undefined) throw new Error(`the authority \`${keyId}\` that was just kept is not there`);
  const nowMillis = clock.nowMillis();
  const tested = await selfTest({ authority: prepared.issuing, path: prepared.path, trustDomain, nowMillis, random });
  return tested.ok
    ? undefined
    : new CodedError(
        "ca-authority/self-test",
        `the issuing authority \`${keyId}\` is not put in force (${tested.step}): ${tested.message}`,
      );
}

/**
 * The issuing authority that follows under a root, made where there is none, and tested now. One that fails is retired, with `ca-authority/self-test`; else fails as
 * `prepareIssuing` does.
 */
export async function testedSuccessor(
  context: AuthorityContext,
  state: AuthorityState,
  root: LoadedAuthority,
  successor: LoadedAuthority | undefined,
): Promise<string> {
  const keyId = successor?.record.keyId ?? (await prepareIssuing(context, state, root));
  const fault = await testPrepared(context, state, keyId);
  if (fault === undefined) return keyId;
  await context.store.setAuthorityStates([{ keyId, from: "prepared", state: "retired" }], context.clock.nowMillis());
  await state.reload();
  throw fault;
}
