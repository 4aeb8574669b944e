import type { AuthorityContext, AuthorityState } from "#ca/authorities/authority-state";
import { createRoot } from "#ca/authorities/create-root";
import { keepAuthority } from "#ca/authorities/keep-authority";
import { CodedError } from "#platform/coded-error";

/** A root with a new key, kept and trusted by nobody yet. Fails with `ca-authority/none` where there is no authority that it could follow. */
export async function makeRoot(context: AuthorityContext, state: AuthorityState): Promise<void> {
  if (state.set.issuing === undefined)
    throw new CodedError("ca-authority/none", "there is no authority yet: `garita ca init` makes one");
  const { authority, privateKey } = await createRoot({
    trustDomain: context.trustDomain,
    keyKind: context.settings.rootKeyKind,
    generation: state.loaded.roots.length + 1,
    lifetimeMillis: context.settings.rootLifetimeMillis,
    nowMillis: context.clock.nowMillis(),
    random: context.random,
  });
  await keepAuthority(context, "root", "generated", authority, [], privateKey);
}
