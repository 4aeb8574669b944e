/** So many key ids of one issuer are remembered; the oldest go first. */
const maxKids = 256;
/** Longer ids are not remembered: they cost memory, and nobody's keys have them. */
const maxKidLength = 256;
/** A key id that proved unknown is not asked for again for so long. An issuer may sign with a key a moment before it publishes it. */
const rememberMillis = 60_000;

/** Key ids that tokens named and the issuer's set has not. Times are of a clock that never goes back. */
export interface UnknownKids {
  /** Did a refresh prove a moment ago that the issuer does not have this key? */
  provedUnknown(kid: string, nowMillis: number): boolean;
  /** A token wants this key. */
  ask(kid: string, nowMillis: number): void;
  /** A document came that was asked for at `askedMillis`; `has` tells what is in it. Is there a key that was wanted since? */
  settle(askedMillis: number, nowMillis: number, has: (kid: string) => boolean): boolean;
}

interface Wanted {
  readonly sinceMillis: number;
  /** Undefined: no refresh has looked for it yet. */
  readonly unknownUntilMillis: number | undefined;
}

/** An empty memory of bounded size, whoever sends what. Asking costs the same however much is remembered. */
export function createUnknownKids(): UnknownKids {
  const kids = new Map<string, Wanted>();
  return {
    provedUnknown(kid, nowMillis) {
      const until = kids.get(kid)?.unknownUntilMillis;
      return until !== undefined && nowMillis < until;
    },
    ask(kid, nowMillis) {
      const wanted = kids.get(kid);
      if (kid.length > maxKidLength || (wanted !== undefined && wanted.unknownUntilMillis === undefined)) return;
      kids.delete(kid);
      kids.set(kid, { sinceMillis: nowMillis, unknownUntilMillis: undefined });
      if (kids.size > maxKids) kids.delete(kids.keys().next().value!);
    },
    settle(askedMillis, nowMillis, has) {
      let open = false;
      for (const [kid, { sinceMillis, unknownUntilMillis }] of kids) {
        if (has(kid) || (unknownUntilMillis !== undefined && unknownUntilMillis <= nowMillis)) kids.delete(kid);
        else if (unknownUntilMillis !== undefined) continue;
        else if (sinceMillis > askedMillis) open = true;
        else kids.set(kid, { sinceMillis, unknownUntilMillis: nowMillis + rememberMillis });
      }
      return open;
    },
  };
}
