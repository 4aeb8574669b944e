/** Why a text is no duration: not Go's syntax, or too large for Go's 64 bits of nanoseconds. */
export type DurationFault = "syntax" | "range";

export type DurationParse =
  /** `millis` is cut toward zero and may be negative; `exact` is false when something finer than a millisecond was cut. */
  | { readonly ok: true; readonly millis: number; readonly exact: boolean }
  | { readonly ok: false; readonly fault: DurationFault };

/** How to write one, for authors. */
export const DURATION_HELP = "write `5s` or `500ms`";

const nanosByUnit: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const largest = 2n ** 63n - 1n;

/**
 * A duration field of Istio's YAML (`timeout: 5s`), by Go's `time.ParseDuration`, which Istio's loader reads it with: an
 * optional sign, then numbers with optional fraction and unit (`1h30m`, `1.5s`, `100ms`), or a lone `0`.
 */
export function parseDuration(text: string): DurationParse {
  const unsigned = /^[-+]?(.*)$/s.exec(text)?.[1] ?? "";
  if (unsigned === "0") return { ok: true, millis: 0, exact: true };
  if (unsigned === "" || text.length > 1000) return { ok: false, fault: "syntax" };
  let nanos = 0n;
  const part = /([0-9]*)(?:\.([0-9]*))?([^0-9.]+)/y;
  while (part.lastIndex < unsigned.length) {
    const found = part.exec(unsigned);
    if (found === null) return { ok: false, fault: "syntax" };
    const [, whole = "", fraction = "", unitText = ""] = found;
    const unit = nanosByUnit.get(unitText);
    if (unit === undefined || whole + fraction === "") return { ok: false, fault: "syntax" };
    nanos += BigInt(`0${whole}`) * unit + (BigInt(`0${fraction}`) * unit) / 10n ** BigInt(fraction.length);
  }
  const negative = text.startsWith("-");
  if (nanos > (negative ? largest + 1n : largest)) return { ok: false, fault: "range" };
  const millis = Number(nanos / 1_000_000n);
  return { ok: true, millis: negative && millis !== 0 ? -millis : millis, exact: nanos % 1_000_000n === 0n };
}
