import { CodedError } from "#platform/coded-error";
import type { EmergencyPlan, Hold, RootState, RootView, RotationView } from "./contract.ts";
import { nextRoot } from "./decide-steps.ts";
import { findStragglers } from "./find-stragglers.ts";
import { proxiesOf } from "./forecast.ts";

/** Roots that may be removed without waiting: trusted, and not the one in force. One that is on its way is withdrawn by `abort`. */
const removable: ReadonlySet<RootState> = new Set(["prepared", "retiring", "tainted"]);

/**
 * What is done without waiting, who breaks by it, and the text that has it done. See `RootRotation.plan`. A root whose issuing authority fails its self-test is never forced: everybody would break. Throws
 * `ca-rotation/none` and `ca-rotation/root`.
 */
export function planEmergency(view: RotationView, remove: string | undefined): EmergencyPlan {
  const next = nextRoot(view.roots);
  if (remove === undefined && next !== undefined && next.state !== "generated") {
    return plan("activate", next, findStragglers(view));
  }
  const root =
    remove === undefined
      ? view.roots.find(
          ({ keyId, state }) => (state === "retiring" || state === "tainted") && keyId !== view.signingRootKeyId,
        )
      : demandRemovable(view, remove);
  if (root === undefined)
    throw new CodedError(
      "ca-rotation/none",
      "no root waits to be put in force or removed: `garita ca root rotate` makes one",
    );
  return plan("remove", root, standingUnder(root, view));
}

/** `named`: a key id, or the beginning of one that no other root has. */
function demandRemovable({ roots, signingRootKeyId }: RotationView, named: string): RootView {
  const meant = roots.filter(({ keyId }) => keyId === named);
  const found = meant.length > 0 ? meant : roots.filter(({ keyId }) => keyId.startsWith(named));
  const root = found.length === 1 ? found[0] : undefined;
  if (root !== undefined && removable.has(root.state) && root.keyId !== signingRootKeyId) return root;
  const reason =
    root === undefined
      ? found.length === 0
        ? "there is no such root"
        : "several roots begin so"
      : root.state === "active" || root.keyId === signingRootKeyId
        ? "it is in force: `garita ca root rotate` makes the one that replaces it"
        : root.state === "retired"
          ? "it is not in the bundle any more"
          : "it is on its way: `garita ca root abort` withdraws it";
  throw new CodedError("ca-rotation/root", `the root \`${named.slice(0, 64)}\` cannot be removed: ${reason}`);
}

/** Proxies whose certificate leads to the root, and nothing newer replaces it. */
function standingUnder(root: RootView, view: RotationView): readonly Hold[] {
  return proxiesOf(view)
    .filter(({ issuerKeyId }) => view.rootOfIssuer.get(issuerKeyId) === root.keyId)
    .map(({ spiffeId, serialHex, notAfterMillis }) => ({
      kind: "certificate",
      spiffeId,
      serialHex,
      untilMillis: notAfterMillis,
    }));
}

function plan(action: EmergencyPlan["action"], { keyId, subject }: RootView, breaks: readonly Hold[]): EmergencyPlan {
  const identities = new Set(breaks.flatMap((hold) => ("spiffeId" in hold ? [hold.spiffeId] : []))).size;
  const confirmation = `${action} ${keyId.slice(0, 8)} leaving ${identities} behind`;
  return { action, rootKeyId: keyId, subject, identities, breaks, confirmation };
}
