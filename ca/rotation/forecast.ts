import type { Forecast, RotationView } from "./contract.ts";
import { buildHolders, givenUp, type Holder, isReplaced, lostWith } from "./holders.ts";

const mostNamed = 10;

/**
 * When proxies break if nothing is issued any more, and who breaks at once if an authority is removed: of each holder of a key that it did not replace, the certificate that was made last. Pure. Cost: linear in
 * certificates, for each authority.
 */
export function forecast(
  view: Pick<RotationView, "roots" | "certificates" | "streams" | "rootOfIssuer" | "nowMillis" | "settings">,
): Forecast {
  const { rootOfIssuer } = view;
  const proxies = proxiesOf(view);
  const ends = proxies.toSorted((a, b) => a.notAfterMillis - b.notAfterMillis);
  const [first] = ends;
  const ifRemoved = (role: "root" | "issuing", keyId: string) => {
    const broken = proxies.filter(
      ({ issuerKeyId }) => (role === "root" ? rootOfIssuer.get(issuerKeyId) : issuerKeyId) === keyId,
    );
    const identities = new Set(broken.map(({ spiffeId }) => spiffeId));
    const named = [...identities].sort().slice(0, mostNamed);
    return { role, keyId, proxies: broken.length, identities: identities.size, named };
  };
  return {
    proxies: proxies.length,
    identities: new Set(proxies.map(({ spiffeId }) => spiffeId)).size,
    ends:
      first === undefined
        ? undefined
        : {
            firstMillis: first.notAfterMillis,
            firstSpiffeId: first.spiffeId,
            halfMillis: ends[Math.ceil(ends.length / 2) - 1]!.notAfterMillis,
            lastMillis: ends.at(-1)!.notAfterMillis,
          },
    ifRemoved: [
      ...[...new Set(rootOfIssuer.values())].map((keyId) => ifRemoved("root", keyId)),
      ...[...rootOfIssuer.keys()].map((keyId) => ifRemoved("issuing", keyId)),
    ].filter((each) => each.proxies > 0),
  };
}

/** Of each holder that did not go over to another key: its newest certificate that was issued and has not ended. Whose root was removed is broken already. */
export function proxiesOf(
  view: Pick<RotationView, "roots" | "certificates" | "streams" | "rootOfIssuer" | "nowMillis" | "settings">,
): readonly Holder["certificates"][number][] {
  const { certificates, streams, nowMillis, settings } = view;
  const holders = buildHolders(certificates);
  const isLost = lostWith(view);
  const left = givenUp(holders, streams);
  return holders.flatMap((holder) => {
    if (left.has(holder) || isReplaced(holder, nowMillis, settings.settleMillis)) return [];
    const newest = holder.certificates.findLast(({ fingerprint }) => fingerprint !== undefined);
    return newest === undefined || newest.notAfterMillis <= nowMillis || isLost(newest) ? [] : [newest];
  });
}
