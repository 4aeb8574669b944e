import type { CertificateInUse } from "#ca/store/contract";
import type { BundleStream, RotationView } from "./contract.ts";

/** Whoever has a key: one proxy, as far as certificates tell. */
export interface Holder {
  readonly spiffeId: string;
  /** In the order of their making; at least one. */
  readonly certificates: readonly CertificateInUse[];
  /** Keys that it went over to, each with the first certificate of it that was given for one of these. */
  readonly successors: readonly { readonly holder: Holder; readonly by: CertificateInUse }[];
}

/**
 * Certificates in use by who holds them: the same key is the same holder, and a certificate that was given for another of the same identity shows that its holder went over to a new key. The
 * authority's own is not among them. Cost: linear.
 */
export function buildHolders(certificates: readonly CertificateInUse[]): readonly Holder[] {
  const others = certificates.filter(({ method }) => method !== "self").toSorted((a, b) => a.number - b.number);
  const byKey = Map.groupBy(others, ({ spiffeId, spkiHash }) => `${spiffeId} ${spkiHash}`);
  const holders: MutableHolder[] = [...byKey.values()].map((held) => ({
    spiffeId: held[0]!.spiffeId,
    certificates: held,
    successors: [],
  }));
  const byFingerprint = new Map<string, MutableHolder>();
  for (const holder of holders)
    for (const { fingerprint } of holder.certificates)
      if (fingerprint !== undefined) byFingerprint.set(fingerprint, holder);
  for (const holder of holders) {
    for (const by of holder.certificates) {
      const before = by.method === "x509-svid" ? byFingerprint.get(by.evidence) : undefined;
      if (before === undefined || before === holder || before.spiffeId !== holder.spiffeId) continue;
      if (!before.successors.some((known) => known.holder === holder)) before.successors.push({ holder, by });
    }
  }
  return holders;
}

interface MutableHolder extends Holder {
  readonly successors: { holder: Holder; by: CertificateInUse }[];
}

/** Tells of a certificate whether its root was removed before it ended: whoever holds it is refused by everybody, and has nothing to lose any more. */
export function lostWith({
  roots,
  rootOfIssuer,
}: Pick<RotationView, "roots" | "rootOfIssuer">): (certificate: CertificateInUse) => boolean {
  const removed = new Set(roots.flatMap(({ keyId, state }) => (state === "retired" ? [keyId] : [])));
  return ({ issuerKeyId }) => removed.has(rootOfIssuer.get(issuerKeyId) ?? "");
}

/** Has the answer to whoever asked for it arrived, as far as time tells? */
export function hasArrived(
  { fingerprint, atMillis }: CertificateInUse,
  nowMillis: number,
  settleMillis: number,
): boolean {
  return fingerprint !== undefined && nowMillis >= atMillis + settleMillis;
}

/**
 * Holders of a key that was given up: a stream is open with a certificate of a later one, so that the answer that brought it has arrived for certain, and nobody comes back to the first. Cost: linear.
 */
export function givenUp(holders: readonly Holder[], streams: readonly BundleStream[]): ReadonlySet<Holder> {
  const opened = openedWith(streams);
  const givenUpHolders = new Set<Holder>();
  // ORDER: a key that was gone over to was made later: its holder stands further back.
  for (const holder of holders.toReversed()) {
    const isLeft = ({ holder: next }: Holder["successors"][number]) => givenUpHolders.has(next) || hasAny(next, opened);
    if (holder.successors.some(isLeft)) givenUpHolders.add(holder);
  }
  return givenUpHolders;
}

/** Has it gone over to a new key, as far as time tells? */
export function isReplaced({ successors }: Holder, nowMillis: number, settleMillis: number): boolean {
  return successors.some(({ by }) => hasArrived(by, nowMillis, settleMillis));
}

/**
 * The holders that a stream speaks for: the one of the certificate that it was opened with, and those that this one became since. Where a key was followed by two, somebody else may have one of them: the stream
 * speaks for neither.
 */
export function spokenFor(holders: readonly Holder[], streams: readonly BundleStream[]): ReadonlySet<Holder> {
  const opened = openedWith(streams);
  const spoken = new Set<Holder>();
  for (const holder of holders) {
    if (!hasAny(holder, opened)) continue;
    let next: Holder | undefined = holder;
    while (next !== undefined && !spoken.has(next)) {
      spoken.add(next);
      next = next.successors.length === 1 ? next.successors[0]!.holder : undefined;
    }
  }
  return spoken;
}

/** Fingerprints of the certificates that streams were opened with. */
function openedWith(streams: readonly BundleStream[]): ReadonlySet<string> {
  return new Set(streams.flatMap(({ fingerprint }) => (fingerprint === undefined ? [] : [fingerprint])));
}

function hasAny({ certificates }: Holder, fingerprints: ReadonlySet<string>): boolean {
  return certificates.some(({ fingerprint }) => fingerprint !== undefined && fingerprints.has(fingerprint));
}
