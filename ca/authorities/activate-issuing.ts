import { CodedError } from "#platform/coded-error";
import type { AuthorityContext, AuthorityState } from "./authority-state.ts";
import { testPrepared } from "./prepare-issuing.ts";
import { activeIssuing } from "./usable-root.ts";

/**
 * Puts a prepared issuing authority in force: it is read again from the store, tested, and made active in one step with the retirement of the one that it replaces, by key id (undefined: there
 * is none). When the test fails it is retired, with `ca-authority/self-test`; when another is active than the one to be replaced, with `ca-authority/exists`.
 */
export async function activateIssuing(
  context: AuthorityContext,
  state: AuthorityState,
  keyId: string,
  replaces: string | undefined,
  by: string,
): Promise<void> {
  const { store, clock, log } = context;
  await state.reload();
  const fault =
    activeIssuing(state.loaded)?.record.keyId === replaces
      ? await testPrepared(context, state, keyId)
      : new CodedError("ca-authority/exists", "another issuing authority became active meanwhile: it stays");
  if (fault !== undefined) {
    const waits = state.loaded.issuing.some(({ record }) => record.keyId === keyId && record.state === "prepared");
    if (waits) await store.setAuthorityStates([{ keyId, from: "prepared", state: "retired" }], clock.nowMillis());
    await state.reload();
    throw fault;
  }
  // ORDER: who did it is recorded before it is done.
  await store.recordEvent({
    kind: "authority-activated",
    atMillis: clock.nowMillis(),
    body: { by, keyId, replaces: replaces ?? "" },
  });
  const retiring =
    replaces === undefined ? [] : [{ keyId: replaces, from: "active" as const, state: "retiring" as const }];
  await store.setAuthorityStates([...retiring, { keyId, from: "prepared", state: "active" }], clock.nowMillis());
  await state.reload();
  log.info({ keyId, by, replaces }, "an issuing authority is active");
}
