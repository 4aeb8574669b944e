import type { ByteString } from "#policy-compiler/ruleset/model";
import { Allowance, type CelValue, tooLarge, Unfit } from "./attribute-value.ts";
import { limits } from "./limits.ts";

/**
 * The parameters of a target's query by name, each with all its values in order, as WHATWG URL §5.1 (application/x-www-form-urlencoded)
 * reads them: `&` between them, `+` is a blank, `%hh` a byte; a `%` without two digits stays, and nothing behind `#` counts.
 */
export function readQuery(target: ByteString): ReadonlyMap<string, CelValue> | Unfit {
  const out = new Map<string, string[]>();
  const mark = target.indexOf("?");
  if (mark < 0) return out;
  const hash = target.indexOf("#", mark);
  const query = target.slice(mark + 1, hash < 0 ? target.length : hash);
  if (query.length > limits.attributeTotal) return tooLarge;
  const allowance = new Allowance();
  let count = 0;
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (++count > limits.attributeItems) return tooLarge;
    const equals = pair.indexOf("=");
    const name = allowance.text(decodePercent(equals < 0 ? pair : pair.slice(0, equals)));
    if (name instanceof Unfit) return name;
    const value = allowance.text(decodePercent(equals < 0 ? "" : pair.slice(equals + 1)));
    if (value instanceof Unfit) return value;
    const values = out.get(name);
    if (values === undefined) out.set(name, [value]);
    else values.push(value);
  }
  return out;
}

function decodePercent(text: ByteString): ByteString {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll("+", " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
