import { CodedError } from "#platform/coded-error";
import { activateIssuing } from "./activate-issuing.ts";
import type { AuthorityContext, AuthorityState } from "./authority-state.ts";
import { createRoot } from "./create-root.ts";
import { keepAuditKey, keepAuthority } from "./keep-authority.ts";
import { prepareIssuing } from "./prepare-issuing.ts";
import { successorOf } from "./slots.ts";
import { activeIssuing, usableRoot } from "./usable-root.ts";

/** The prepared issuing authority under the active root, or a new one, active afterwards. See `Authorities.rotateIssuer`. Never two calls at once. */
export async function rotateIssuer(context: AuthorityContext, state: AuthorityState, by: string): Promise<void> {
  await state.reload();
  const usable = usableRoot(state.loaded);
  if (!usable.ok) throw new CodedError(usable.code, usable.message);
  const { root } = usable;
  const replaces = activeIssuing(state.loaded)?.record.keyId;
  const successor = successorOf(state.loaded, root.record.keyId, context.clock.nowMillis());
  const keyId = successor?.record.keyId ?? (await prepareIssuing(context, state, root));
  await activateIssuing(context, state, keyId, replaces, by);
}

/**
 * Makes what is lacking of a root, an audit key and an active issuing authority. See `Authorities.initialise`. Interrupted at any step, it goes on from there
 * when it is called again. Never two calls at once.
 */
export async function initialiseAuthorities(
  context: AuthorityContext,
  state: AuthorityState,
  by: string,
): Promise<void> {
  await state.reload();
  const { loaded } = state;
  const hasIssuing = activeIssuing(loaded) !== undefined;
  if (hasIssuing && loaded.auditKeys.some(({ auditKey }) => auditKey !== undefined))
    throw new CodedError("ca-authority/exists", `the trust domain \`${context.trustDomain}\` has an authority already`);
  if (!hasIssuing && loaded.roots.every(({ record }) => record.state === "retired")) {
    const { authority, privateKey } = await createRoot({
      trustDomain: context.trustDomain,
      keyKind: context.settings.rootKeyKind,
      generation: loaded.roots.length + 1,
      lifetimeMillis: context.settings.rootLifetimeMillis,
      nowMillis: context.clock.nowMillis(),
      random: context.random,
    });
    await keepAuthority(context, "root", "active", authority, [], privateKey);
  }
  await keepAuditKey(context, state);
  if (!hasIssuing) await rotateIssuer(context, state, by);
}
