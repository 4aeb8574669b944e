/** How often keys are refreshed, and how long they may be used without it. May change while a store runs. */
export interface RefreshSettings {
  /** Between two documents of an issuer that says nothing about it. */
  readonly refreshMillis: number;
  /** Keys that could not be refreshed for so long are dropped. */
  readonly maxStaleMillis: number;
}

/** Shorter and longer intervals than these are not taken from an issuer's `Cache-Control`: the longer is Istio's own interval. */
const issuersChoice = { leastMillis: 60_000, mostMillis: 20 * 60_000 } as const;

/** A failing issuer is asked again after so long, doubled with each failure. */
const backOff = { firstMillis: 2_000, leastCapMillis: 30_000, mostCapMillis: 5 * 60_000 } as const;

/**
 * Time to the next refresh after a good one, up to a fifth shorter than the interval, so that those who started together do not
 * stay together. `maxAgeSeconds`: what the issuer says its document keeps (RFC 9111 §5.2.2.1). Never more than half of the
 * time that keys may be used unrefreshed.
 */
export function refreshDelayMillis(
  { refreshMillis, maxStaleMillis }: RefreshSettings,
  maxAgeSeconds: number | undefined,
  random: () => number,
): number {
  const least = Math.min(refreshMillis, issuersChoice.leastMillis);
  const most = Math.max(refreshMillis, issuersChoice.mostMillis);
  const wanted = maxAgeSeconds === undefined ? refreshMillis : clamp(maxAgeSeconds * 1000, least, most);
  return Math.min(wanted, maxStaleMillis / 2) * (1 - random() / 5);
}

/**
 * Time to the next attempt after `failures` in a row (at least one): half to whole of two seconds, doubled each time, up to the
 * interval of a healthy issuer or five minutes. An issuer that recovers is to be noticed soon, and one request in five minutes is no burden to one that does not.
 */
export function retryDelayMillis({ refreshMillis }: RefreshSettings, failures: number, random: () => number): number {
  const cap = clamp(refreshMillis, backOff.leastCapMillis, backOff.mostCapMillis);
  // The exponent is bounded so that the product stays a number.
  const grown = backOff.firstMillis * 2 ** Math.min(failures - 1, 20);
  return Math.min(grown, cap) * (1 - random() / 2);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
