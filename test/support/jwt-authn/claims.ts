import type { Random } from "#test/support/random";
import type { RawMembers } from "./token-draft.ts";

/** Claims that policies and output headers ask for, as raw JSON, with all that Envoy makes something special of. */
const extras: Readonly<Record<string, readonly string[]>> = {
  azp: ['"cli"', '"w"', '["cli"]', "5"],
  scope: ['"read write"', '" write  "', '""', '"read"', '["read","write"]', '["a b"]', "7", '"  "', "null"],
  permission: ['"p1 p2"', '"p1"', '""', '{"a":"b c"}'],
  roles: ['"r1 r2"', '["r1"]', '"r1"', '["r1 r2","r3"]', '"r1\\tr2"', '"r1,r2"'],
  g: ['"a"', '["a","b"]', '[["a"]]', "[]", '[1,"a",null]', '{"a":1}', '"gg"', '[{"k":"v"}]', '"a/b"', '[""]'],
  adm: ["true", "false", '"true"', "[true]"],
  n: [
    "7",
    "0",
    "-3",
    "7.5",
    "1e20",
    "12345678901234567890",
    '"7"',
    "18446744073709551615",
    "18446744073709551616",
    "[7]",
  ],
  f: [
    ..."0.1 100 1234567.0 1e-7 -0 -0.0 1e15 1E3 123456789.123456789 1e300 9007199254740993 -1.5e-3 4.9e-324 0.5 1.0000005".split(
      " ",
    ),
  ],
  o: [
    '{"k":"v"}',
    '{"d":{"e":"deep"}}',
    '{"k":["v","w"],"z":1.50}',
    "null",
    '"v"',
    "{}",
    '{"k":{"k":true}}',
    '{"b":2,"a":1}',
    '{"k":null}',
  ],
  "o.k": ['"v"', '"dotted"', "1"],
  u: [
    '"h\u00e9"',
    '"\\u00e9\\ud83d\\ude00"',
    '"\u65e5\u672c"',
    '"a\\"b\\\\c"',
    '"<&>"',
    '["\u00e9"]',
    '{"\u00e9":"/"}',
  ],
  s: ['"a,b"', '" lead"', '"trail "', '"*"', '"a*b"', '"%41"', '"a=b; c"', '"A"'],
  l: [`"${"long".repeat(80)}"`],
};

export const claimNames: readonly string[] = [
  ...Object.keys(extras),
  "o.d.e",
  "o.d",
  "o.k.k",
  "iss",
  "sub",
  "aud",
  "exp",
  "jti",
  "missing",
  "missing.deep",
];

const subjects = ['"alice"', '"bob"', '"a/b"', '"*"', '""', '"\u00e9"', '"alice"', '"x y"'];

/** The audiences of a rule as a good token may write them: with or without scheme and last slash. */
function audienceVariant(random: Random, audience: string): string {
  const bare = audience.replace(/^https?:\/\//, "").replace(/\/$/, "");
  return random.pick([audience, audience, bare, `http://${bare}`, `https://${bare}/`, `${bare}/`]);
}

/** An `aud` that the rule lets pass; undefined: none is needed. */
function goodAudience(random: Random, audiences: readonly string[]): string | undefined {
  if (audiences.length === 0) {
    return random.pick([undefined, undefined, '"any"', '["a","b"]', "[]", '""']);
  }
  const good = JSON.stringify(audienceVariant(random, random.pick(audiences)));
  return random.pick([good, good, `[${good}]`, `["other",${good}]`, `[${good},${good}]`, `["",${good}]`]);
}

/** The payload of a token that should pass: members in a random order. */
export function goodClaims(
  random: Random,
  rule: { readonly issuer?: string; readonly audiences?: readonly string[] },
  now: number,
): RawMembers {
  const members: RawMembers = [["iss", JSON.stringify(rule.issuer ?? random.pick(["https://any", "i3", ""]))]];
  const add = (name: string, json: string | undefined) => json !== undefined && members.push([name, json]);
  add("sub", random.chance(0.93) ? random.pick(subjects) : undefined);
  add("aud", goodAudience(random, rule.audiences ?? []));
  add("exp", goodExpiry(random, now));
  if (random.chance(0.3)) add("nbf", random.pick([`${now - 100}`, "0", `${now - 5}.9`, `${now + 30}`]));
  if (random.chance(0.4)) add("iat", random.pick([`${now - 5}`, `${now + 9999}`, "0", `${now - 5}.5`, "1e9"]));
  if (random.chance(0.2)) add("jti", random.pick(['"id"', '""', '"x"']));
  for (const [name, values] of Object.entries(extras)) if (random.chance(0.35)) add(name, random.pick(values));
  return random.chance(0.5) ? members : shuffled(random, members);
}

function goodExpiry(random: Random, now: number): string | undefined {
  if (random.chance(0.08)) return undefined;
  return random.pick([
    ...[`${now + 3600}`, `${now + 3600}`, `${now + 3600}`, `${now + 3600}.7`, `${now + 9e8}`],
    // Within the skew, with room for the time that a run takes.
    `${now - 5}`,
    "0",
    "4e9",
    "1e18",
  ]);
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const rest = [...items];
  const out: T[] = [];
  while (rest.length > 0) out.push(...rest.splice(random.int(0, rest.length - 1), 1));
  return out;
}
