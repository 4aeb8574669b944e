import type { AuthorityContext, AuthorityState } from "#ca/authorities/authority-state";
import { testedSuccessor } from "#ca/authorities/prepare-issuing";
import { successorOf } from "#ca/authorities/slots";
import { CodedError, messageOf } from "#platform/coded-error";
import type { RotationView } from "./contract.ts";
import { nextRoot } from "./decide-steps.ts";

/** The issuing authority under the root that is on its way. */
export interface NextIssuer {
  /** As of the last test; undefined: there was none since the program began, or no root is on its way. */
  readonly selfTest: () => RotationView["selfTest"];
  /** Tests it, and makes it where there is none or half of its life is over. Where that fails it is left for ten minutes. Answers its key id. Fails as the store does. */
  test(context: AuthorityContext, state: AuthorityState): Promise<string | undefined>;
}

/** Each failure leaves an authority behind that is retired. */
const retryMillis = 10 * 60_000;

/** No test was made yet. */
export function createNextIssuer(monotonicMillis: () => number): NextIssuer {
  let last:
    | { readonly rootKeyId: string; readonly result: RotationView["selfTest"]; readonly atMillis: number }
    | undefined;
  return {
    selfTest: () => last?.result,
    async test(context, state) {
      const root = nextRoot(state.loaded.roots.map(({ record }) => record));
      if (root?.keyId !== last?.rootKeyId) last = undefined;
      if (root === undefined) return undefined;
      const atMillis = monotonicMillis();
      const isLeft = last?.result?.ok === false && atMillis - last.atMillis < retryMillis;
      // A root that waits to be trusted needs no issuing authority meanwhile.
      if (isLeft || root.state === "published") return undefined;
      try {
        const issuerKeyId = await testedIssuer(context, state, root.keyId);
        last = { rootKeyId: root.keyId, result: { ok: true }, atMillis };
        return issuerKeyId;
      } catch (fault) {
        if (!(fault instanceof CodedError) || fault.code.startsWith("ca-store/")) throw fault;
        last = { rootKeyId: root.keyId, result: { ok: false, message: messageOf(fault) }, atMillis };
        return undefined;
      }
    },
  };
}

/** The issuing authority to follow under a root, made where there is none, tested now. Fails as `testedSuccessor` does. */
export async function testedIssuer(
  context: AuthorityContext,
  state: AuthorityState,
  rootKeyId: string,
): Promise<string> {
  const root = state.loaded.roots.find(({ record }) => record.keyId === rootKeyId);
  if (root === undefined) throw new Error(`the root \`${rootKeyId}\` is not there`);
  const successor = successorOf(state.loaded, rootKeyId, context.clock.nowMillis());
  return testedSuccessor(context, state, root, successor);
}
