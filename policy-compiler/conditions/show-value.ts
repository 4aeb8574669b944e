/** Characters of one shown value. */
const LONGEST = 120;
/** Members of one shown list or map. */
const MOST = 8;

/** A value as CEL writes it, for people: cut, and never a line break or a control character. */
export function showValue(value: unknown): string {
  const text = show(value, 3);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}

function show(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : String(value);
    case "object":
      return showObject(value, depth);
    default:
      return "?";
  }
}

function showObject(value: object | null, depth: number): string {
  if (value === null) return "null";
  if (value instanceof Date) return `timestamp("${value.toISOString()}")`;
  if (depth === 0) return "…";
  if (Array.isArray(value))
    return `[${value
      .slice(0, MOST)
      .map((item) => show(item, depth - 1))
      .join(", ")}${rest(value.length)}]`;
  if (value instanceof Map) {
    const members = [...value].slice(0, MOST).map(([name, member]) => `${show(name, 1)}: ${show(member, depth - 1)}`);
    return `{${members.join(", ")}${rest(value.size)}}`;
  }
  if ("seconds" in value && "nanos" in value) {
    const nanos = String(Math.abs(Number(value.nanos)))
      .padStart(9, "0")
      .replace(/0+$/, "");
    return `duration("${value.seconds}${nanos === "" ? "" : `.${nanos}`}s")`;
  }
  if ("prefixLength" in value) return "a block of addresses";
  return "?";
}

function rest(count: number): string {
  return count > MOST ? `, … ${count} in all` : "";
}

function quote(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  // Everything that could break a line or turn its direction is written as its number.
  const safe = cut
    .replace(/["\\]/g, "\\$&")
    .replace(/[\p{C}\u2028\u2029]/gu, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`);
  return `"${safe}"`;
}
