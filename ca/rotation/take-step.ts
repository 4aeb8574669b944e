import type { AuthorityContext, AuthorityState } from "#ca/authorities/authority-state";
import { issuingUnder } from "#ca/authorities/slots";
import { activeIssuing } from "#ca/authorities/usable-root";
import type { AuthorityTransition } from "#ca/store/contract";
import { CodedError } from "#platform/coded-error";
import type { RootState, RootStep } from "./contract.ts";

/** A step that is to be taken, held up or not: that was looked at. */
export interface WantedStep extends Pick<RootStep, "rootKeyId" | "from" | "to"> {
  /** Of `active`: the issuing authority under the root, prepared and tested. */
  readonly issuerKeyId: string | undefined;
  readonly by: string;
}

/**
 * Takes one step: one transaction of the store, which fails with `ca-store/conflict` and changes nothing where another replica was first. A program that ends before or after it goes on later. INVARIANT: whatever is
 * active becomes so in the transaction in which the one before retires; nothing that is prepared or active stands under a root that is not trusted.
 */
export async function takeStep(
  { store, clock, log }: AuthorityContext,
  state: AuthorityState,
  step: WantedStep,
): Promise<void> {
  const { rootKeyId, from, to, by } = step;
  await store.setAuthorityStates(transitionsOf(state, step), clock.nowMillis());
  await state.reload();
  log.info({ root: rootKeyId, from, to, by }, "a root came into its next state");
}

function transitionsOf({ loaded }: AuthorityState, step: WantedStep): readonly AuthorityTransition[] {
  const { rootKeyId, from, to, issuerKeyId } = step;
  const own: AuthorityTransition = { keyId: rootKeyId, from, state: to };
  if (to === "retired") {
    const below = issuingUnder(loaded, rootKeyId).filter(({ record }) => record.keyId !== rootKeyId);
    if (below.some(({ record }) => record.state === "active"))
      throw new CodedError("ca-rotation/root", `the issuing authority in force stands under the root \`${rootKeyId}\``);
    return [own, ...below.map(({ record }) => change(record, "retired"))];
  }
  if (to !== "active") return [own];
  if (issuerKeyId === undefined) throw new Error("a root without an issuing authority is not put in force");
  const root = loaded.roots.find(({ record }) => record.state === "active");
  const issuer = activeIssuing(loaded);
  // Whatever was to follow under the root that retires follows nobody now.
  const waiting = issuingUnder(loaded, issuer?.path.at(-1)?.keyId).filter(({ record }) => record.state === "prepared");
  return [
    ...(root === undefined ? [] : [change(root.record, "retiring")]),
    ...(issuer === undefined ? [] : [change(issuer.record, "retiring")]),
    ...waiting.map(({ record }) => change(record, "retired")),
    own,
    { keyId: issuerKeyId, from: "prepared", state: "active" },
  ];
}

function change(record: { readonly keyId: string; readonly state: RootState }, to: RootState): AuthorityTransition {
  return { keyId: record.keyId, from: record.state, state: to };
}
