import { CodedError } from "#platform/coded-error";
import type { AuthorityContext, AuthorityState } from "./authority-state.ts";
import { selfTest } from "./self-test.ts";
import { activeIssuing } from "./usable-root.ts";

/**
 * Puts a prepared issuing authority in force: it is read again from the store, tested, and made active in one step with the retirement of the one before. When
 * the test fails it is retired, with `ca-authority/self-test`; when another became active meanwhile, with `ca-authority/exists`.
 */
export async function activateIssuing(
  context: AuthorityContext,
  state: AuthorityState,
  keyId: string,
  by: string,
): Promise<void> {
  const { store, clock, log } = context;
  const before = activeIssuing(state.loaded)?.record.keyId;
  await state.reload();
  const fault =
    activeIssuing(state.loaded)?.record.keyId === before
      ? await testFault(context, state, keyId)
      : new CodedError("ca-authority/exists", "another issuing authority became active meanwhile: it stays");
  if (fault !== undefined) {
    await store.setAuthorityStates([{ keyId, state: "retired" }], clock.nowMillis());
    await state.reload();
    throw fault;
  }
  // ORDER: who did it is recorded before it is done.
  await store.recordEvent({
    kind: "authority-activated",
    atMillis: clock.nowMillis(),
    body: { by, keyId, replaces: before ?? "" },
  });
  const retiring = before === undefined ? [] : [{ keyId: before, state: "retiring" as const }];
  await store.setAuthorityStates([...retiring, { keyId, state: "active" }], clock.nowMillis());
  await state.reload();
  log.info({ keyId, by, replaces: before }, "an issuing authority is active");
}

async function testFault(
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
