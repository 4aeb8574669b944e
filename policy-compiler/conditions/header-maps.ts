import type { ByteString } from "#policy-compiler/ruleset/model";
import { Allowance, type CelValue, tooLarge, Unfit, unknownValue } from "./attribute-value.ts";
import type { RequestFacts } from "./contract.ts";
import { limits } from "./limits.ts";

type Form = "joined" | "lines";

/** The named headers that the request has. Names are lower case. */
export function readHeaders(
  request: RequestFacts,
  names: readonly ByteString[],
  form: Form,
): ReadonlyMap<string, CelValue> | Unfit {
  const allowance = new Allowance();
  const out = new Map<string, CelValue>();
  for (const name of names) {
    const header = request.header(name);
    if (header === undefined) continue;
    const { lines, joined } = header;
    // One text that may be several lines: which, nobody knows.
    if (form === "lines" && joined && lines.some((line) => line.includes(","))) return unknownValue;
    const value = form === "lines" ? allowance.texts(lines) : allowance.text(joinLines(lines));
    if (value instanceof Unfit) return value;
    out.set(name, value);
  }
  return out;
}

/** Every header but pseudo headers, which are attributes of their own. */
export function readAllHeaders(request: RequestFacts, form: Form): ReadonlyMap<string, CelValue> | Unfit {
  const names = request.headerNames();
  if (names.length > limits.attributeItems) return tooLarge;
  return readHeaders(
    request,
    names.filter((name) => !name.startsWith(":")),
    form,
  );
}

/** RFC 9110 §5.2, and Envoy: without a blank behind the comma. */
function joinLines(lines: readonly ByteString[]): ByteString {
  return lines.length === 1 ? lines[0]! : lines.join(",");
}
