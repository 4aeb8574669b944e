import type { Hold, RootState, RootStep, RootView, RotationView } from "./contract.ts";
import { findStragglers } from "./find-stragglers.ts";

/** Where a root goes next by itself; undefined: nowhere, or by what happens to another. */
const nextStates = {
  generated: "published",
  published: "propagated",
  propagated: "active",
  prepared: undefined,
  // ORDER: it retires in the one step that makes its successor active.
  active: undefined,
  retiring: "retired",
  tainted: "retired",
  retired: undefined,
} as const satisfies Readonly<Record<RootState, RootState | undefined>>;

/** Roots that are on their way into force. */
const onTheirWay: ReadonlySet<RootState> = new Set(["generated", "published", "propagated"]);

/** The root that is to follow: of several, which replicas that were asked at once may have made, the oldest. */
export function nextRoot<Root extends Pick<RootView, "state">>(roots: readonly Root[]): Root | undefined {
  return roots.find(({ state }) => onTheirWay.has(state));
}

/**
 * For every root that is to change its state, the state that comes next and what holds that up. Total, pure; nobody's word is taken for anything but what the view has of it. Cost: linear in certificates, and
 * only where some are asked about.
 */
export function decideSteps(view: RotationView): readonly RootStep[] {
  const next = nextRoot(view.roots);
  return view.roots.flatMap((root): RootStep[] => {
    const { keyId: rootKeyId, state: from } = root;
    // Another is on its way already: nobody has been told of this one, or shall be.
    if (onTheirWay.has(from) && root !== next) return [{ rootKeyId, from, to: "retired", heldUpBy: [] }];
    const to = nextStates[from];
    return to === undefined ? [] : [{ rootKeyId, from, to, heldUpBy: holdsOf(root, view) }];
  });
}

/** The guards (the specification of rotation, H.3). */
function holdsOf(root: RootView, view: RotationView): readonly Hold[] {
  switch (root.state) {
    case "generated":
      return selfTestHolds(view);
    case "published":
      return [...timeHolds(root.stateMillis + view.settings.settleMillis, view), ...findStragglers(view)];
    case "propagated":
      return [...selfTestHolds(view), ...findStragglers(view)];
    case "retiring":
      if (root.keyId === view.signingRootKeyId) return [{ kind: "in-force" }];
      return [...timeHolds(root.stateMillis + view.settings.skewMillis, view), ...standingUnder(root.keyId, view)];
    case "tainted":
    case "prepared":
    case "active":
    case "retired":
      return [];
  }
}

function selfTestHolds({ selfTest }: RotationView): readonly Hold[] {
  if (selfTest?.ok === true) return [];
  return [{ kind: "self-test", message: selfTest?.message ?? "it was not tested yet" }];
}

function timeHolds(untilMillis: number, { nowMillis }: RotationView): readonly Hold[] {
  return nowMillis > untilMillis ? [] : [{ kind: "time", untilMillis }];
}

/** Certificates in use under a root, and live streams that were opened with one. What was signed by nobody who is known may be under any. */
function standingUnder(
  rootKeyId: string,
  { certificates, rootOfIssuer, streams, settings }: RotationView,
): readonly Hold[] {
  const under = certificates.filter(({ issuerKeyId }) => (rootOfIssuer.get(issuerKeyId) ?? rootKeyId) === rootKeyId);
  const fingerprints = new Set(under.map(({ fingerprint }) => fingerprint));
  return [
    ...streams
      .filter(({ fingerprint }) => fingerprint !== undefined && fingerprints.has(fingerprint))
      .map(({ spiffeId, node }): Hold => ({ kind: "stream", spiffeId, node, rejected: undefined })),
    ...under.map(
      ({ spiffeId, serialHex, notAfterMillis }): Hold => ({
        kind: "certificate",
        spiffeId,
        serialHex,
        untilMillis: notAfterMillis + settings.skewMillis,
      }),
    ),
  ];
}
