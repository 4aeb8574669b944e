import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * A target with its query edited as Envoy does it (`QueryParamsMulti`): as soon as there is an edit, all parameters are sorted by the bytes of
 * their names, values of one name staying in order, and each is written with a `=`. A name that is set loses its other values; a name
 * that is removed is removed although it was set. Nothing is decoded or encoded.
 */
export function editQuery(
  target: ByteString,
  set: readonly (readonly [name: ByteString, value: ByteString])[],
  remove: readonly ByteString[],
): ByteString {
  if (set.length === 0 && remove.length === 0) return target;
  const mark = target.indexOf("?");
  const values = parseQuery(mark < 0 ? "" : target.slice(mark + 1));
  for (const [name, value] of set) values.set(name, [value]);
  for (const name of remove) values.delete(name);
  const path = mark < 0 ? target : target.slice(0, mark);
  const pairs = [...values]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, all]) => all.map((value) => `${name}=${value}`));
  return pairs.length === 0 ? path : `${path}?${pairs.join("&")}`;
}

/** Between two `&` there is a parameter, if only one with an empty name; behind a last `&` there is none. */
function parseQuery(query: ByteString): Map<ByteString, ByteString[]> {
  const values = new Map<ByteString, ByteString[]>();
  for (let start = 0; start < query.length; ) {
    const found = query.indexOf("&", start);
    const end = found < 0 ? query.length : found;
    const pair = query.slice(start, end);
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? "" : pair.slice(equals + 1);
    const all = values.get(name);
    if (all === undefined) values.set(name, [value]);
    else all.push(value);
    start = end + 1;
  }
  return values;
}
