/** What a plain scalar means: its JSON value, and what a YAML 1.1 reader makes of it where that differs. */
export interface PlainMeaning {
  readonly value: string | number | boolean | null;
  readonly elsewhere: "boolean" | "number" | undefined;
}

const words: ReadonlyMap<string, PlainMeaning> = new Map<string, PlainMeaning>([
  ...["", "~", "null", "Null", "NULL"].map((text) => [text, { value: null, elsewhere: undefined }] as const),
  ...["true", "True", "TRUE"].map((text) => [text, { value: true, elsewhere: undefined }] as const),
  ...["false", "False", "FALSE"].map((text) => [text, { value: false, elsewhere: undefined }] as const),
  ...["y", "yes", "on", "n", "no", "off"]
    .flatMap((text) => [text, text.charAt(0).toUpperCase() + text.slice(1), text.toUpperCase()])
    .map((text) => [text, { value: text, elsewhere: "boolean" }] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (text) => [text, { value: Number.POSITIVE_INFINITY, elsewhere: undefined }] as const,
  ),
  ...["-.inf", "-.Inf", "-.INF"].map(
    (text) => [text, { value: Number.NEGATIVE_INFINITY, elsewhere: undefined }] as const,
  ),
  ...[".nan", ".NaN", ".NAN"].map((text) => [text, { value: Number.NaN, elsewhere: undefined }] as const),
]);

/** A number that may stand for a key: every reader takes its text alike. */
export const canonicalInteger = /^(?:0|[1-9][0-9]*)$/;

const longestWord = 6;
const decimal = /^[-+]?[0-9]+$/;
const octal = /^0o[0-7]+$/;
const hexadecimal = /^0x[0-9a-fA-F]+$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** YAML 1.1 as Kubernetes' reader has it: underscores, `0` for octal, `0b`, and signs before a base. */
const oldOctal = /^[-+]?0[0-7]+$/;
const oldBased = /^[-+]?0(?:[xX][0-9a-fA-F]+|[bB][01]+|[oO]?[0-7]+)$/;

/**
 * Resolves a plain scalar by the core schema of YAML 1.2 (YAML 1.2.2 §10.3.2), and marks those that YAML 1.1 reads
 * otherwise.
 */
export function resolvePlain(text: string): PlainMeaning {
  if (text.length <= longestWord) {
    const word = words.get(text);
    if (word !== undefined) return word;
  }
  return startsLikeNumber(text) ? resolveNumber(text) : { value: text, elsewhere: undefined };
}

function startsLikeNumber(text: string): boolean {
  const first = text.charCodeAt(0);
  return (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
}

function resolveNumber(text: string): PlainMeaning {
  if (decimal.test(text)) return { value: Number(text), elsewhere: oldOctal.test(text) ? "number" : undefined };
  if (octal.test(text) || hexadecimal.test(text)) return { value: Number(text), elsewhere: undefined };
  if (float.test(text)) return resolveFloat(text);
  const bare = text.includes("_") ? text.replaceAll("_", "") : text;
  const isOldNumber = oldBased.test(bare) || (bare !== text && (decimal.test(bare) || float.test(bare)));
  return { value: text, elsewhere: isOldNumber ? "number" : undefined };
}

/** What overflows is text to a YAML 1.1 reader and infinite to us; either way it is no number that anybody can use. */
function resolveFloat(text: string): PlainMeaning {
  return { value: Number(text), elsewhere: undefined };
}
