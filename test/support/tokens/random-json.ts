import type { Random } from "#test/support/random";

/** JSON and nearly JSON, as byte strings: what a mutation starts from. */
const seeds = [
  '{"a":1,"b":[true,false,null],"c":{"d":"e"}}',
  '{"iss":"x","sub":"y","aud":["a","b"],"exp":4102444800,"nbf":1,"iat":1.5,"jti":"z"}',
  '{"o":"\\u00e9\\ud83d\\ude00\\n\\"\\\\\\/"}',
  "{'a':'b',c:[1,],}",
  '{"a":-0.5e+3,"b":1E-2,"c":0,"d":12345678901234567890}',
  '{"\xc3\xa9":"\xe2\x82\xac\xf0\x9f\x98\x80"}',
  '{"a":[[[[]]]],"b":{"c":{"d":{}}}}',
  " null ",
];
const pieces = [
  ..."{}[]\",':\\/ \t\n\r\f0123456789.eE+-utrfanlUd8_$",
  "\x00",
  "\x1f",
  "\x7f",
  "\x80",
  "\xa9",
  "\xbf",
  "\xc0",
  "\xc3",
  "\xe2",
  "\xed",
  "\xf0",
  "\xf4",
  "\xff",
  "\\u",
  "\\ud83d",
  "\\ude00",
  "\\u0061",
  "null",
  "true",
  "false",
  '"a":1,',
  "[[",
  "]]",
  "1e308",
  "e999",
];

/** A text a few steps away from JSON. */
export function randomJson(random: Random): string {
  let text = random.pick(seeds);
  for (let steps = random.below(4); steps > 0; steps--) {
    const at = random.below(text.length + 1);
    const cut = random.below(3);
    text = text.slice(0, at) + (random.below(4) === 0 ? "" : random.pick(pieces)) + text.slice(at + cut);
  }
  return text === "" ? "{" : text;
}
