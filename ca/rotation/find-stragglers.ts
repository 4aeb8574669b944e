import type { Hold, RotationView } from "./contract.ts";
import { buildHolders, givenUp, type Holder, hasArrived, isReplaced, lostWith, spokenFor } from "./holders.ts";

/**
 * Who is not known to have the bundle in force: live streams that have not acknowledged it; and certificates in use that no stream speaks for, given with an older bundle, whose holder has none that was
 * given with this one. Identities that were waived are left out, and certificates under a root that was removed. Streams first. An old certificate counts until it has ended, and a newer one that its holder got since from when it must have arrived.
 */
export function findStragglers(
  view: Pick<
    RotationView,
    "roots" | "rootOfIssuer" | "bundle" | "certificates" | "streams" | "waived" | "nowMillis" | "settings"
  >,
): readonly Hold[] {
  const { bundle, streams, waived } = view;
  const behind = streams.filter(
    ({ acknowledged, spiffeId }) => acknowledged !== bundle.version && !waived.has(spiffeId),
  );
  const holders = buildHolders(view.certificates);
  const spoken = spokenFor(holders, streams);
  const left = givenUp(holders, streams);
  const isLost = lostWith(view);
  return [
    ...behind.map(({ spiffeId, node, rejected }): Hold => {
      const words = rejected?.version === bundle.version ? rejected.message : undefined;
      return { kind: "stream", spiffeId, node, rejected: words };
    }),
    ...holders.flatMap((holder) => {
      const isSettled = waived.has(holder.spiffeId) || spoken.has(holder) || left.has(holder);
      return isSettled ? [] : (heldUpBy(holder, view, isLost) ?? []);
    }),
  ];
}

/** Undefined: whoever holds it has the bundle, or is somebody else by now. */
function heldUpBy(
  holder: Holder,
  { bundle, nowMillis, settings }: Pick<RotationView, "bundle" | "nowMillis" | "settings">,
  isLost: (certificate: Holder["certificates"][number]) => boolean,
): Hold | undefined {
  const { settleMillis, skewMillis } = settings;
  const carries = ({ bundleSequence }: Holder["certificates"][number]) => (bundleSequence ?? -1) >= bundle.sequence;
  const old = holder.certificates.filter((certificate) => !carries(certificate) && !isLost(certificate));
  const last = old.toSorted((a, b) => b.notAfterMillis - a.notAfterMillis)[0];
  if (last === undefined || isReplaced(holder, nowMillis, settleMillis)) return undefined;
  const newest = holder.certificates.findLast(({ fingerprint }) => fingerprint !== undefined);
  const isUpToDate = newest !== undefined && carries(newest);
  if (isUpToDate && hasArrived(newest, nowMillis, settleMillis)) return undefined;
  const expected = [
    ...(isUpToDate ? [newest] : []),
    ...holder.successors.flatMap(({ by }) => (by.fingerprint === undefined ? [] : [by])),
  ].map(({ atMillis }) => atMillis + settleMillis);
  return {
    kind: "certificate",
    spiffeId: holder.spiffeId,
    serialHex: last.serialHex,
    untilMillis: Math.min(last.notAfterMillis + skewMillis, ...expected),
  };
}
