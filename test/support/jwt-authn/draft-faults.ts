import type { Random } from "#test/support/random";
import type { SigningKey } from "./keys.ts";
import { rawObject, setMember, type TokenDraft } from "./token-draft.ts";

export interface FaultContext {
  readonly random: Random;
  /** Unix seconds. */
  readonly now: number;
  readonly audiences: readonly string[];
  /** Keys that stand in no set. */
  readonly foreign: readonly SigningKey[];
  readonly known: readonly SigningKey[];
}

/** What can be wrong, or merely odd, with a token before it is signed. The signature is good for what it then says. */
export type DraftFault = (draft: TokenDraft, context: FaultContext) => void;

/** Raw JSON that is no text, or not the text that is wanted. */
const oddValues = ["1", "null", "true", "[]", "{}", '""', '["x"]', "-1", "1.5", '"\\ud800"', '"\\uDC00x"'];
const oddTimes = [
  "-1",
  "-0",
  "-0.5",
  '"1"',
  "null",
  "true",
  "[]",
  "1e30",
  "1e400",
  "0.9",
  "18446744073709551615",
  "1E1",
  "-1e-300",
  "9223372036854775808",
];
const oddAudiences = [
  "7",
  "null",
  "[7]",
  '["a",7]',
  "{}",
  "true",
  "[null]",
  '[["a"]]',
  "[]",
  '""',
  '[""]',
  '["a",["b"]]',
];

/** Not JSON, or JSON that is read in more than one way; `%` stands for the members of a good object. */
const oddTexts = [
  ...[
    "",
    " ",
    "{}",
    "[]",
    "1",
    '"x"',
    "null",
    "true",
    "{",
    "}",
    "{%",
    "%}",
    "{%}}",
    "{%},{%}",
    "[{%}]",
    " {%} ",
    "\t\n{%}\r\n",
    "{%,}",
  ],
  ...[
    "{,%}",
    "{%}x",
    "{%}\0",
    "\0{%}",
    "\ufeff{%}",
    "// c\n{%}",
    "{%/**/}",
    "{%,'a':1}",
    "{%,a:1}",
    '{%,"a":01}',
    '{%,"a":1.}',
    '{%,"a":.5}',
  ],
  ...[
    '{%,"a":+1}',
    '{%,"a":0x1}',
    '{%,"a":NaN}',
    '{%,"a":Infinity}',
    '{%,"a":-Infinity}',
    '{%,"a":1e999}',
    '{%,"a":-1e999}',
    '{%,"a":True}',
  ],
  ...[
    '{%,"a":"\t"}',
    '{%,"a":"\n"}',
    '{%,"a":"\x7f"}',
    '{%,"a":"\\x"}',
    '{%,"a":"\\u12"}',
    '{%,"a":"\\ud800"}',
    '{%,"a":"\\ud83d\\ude00"}',
  ],
  ...[
    '{%,"a":1,"a":2}',
    '{%,"a":{"b":1,"b":1}}',
    '{%,"\\u0061":1,"a":2}',
    '{%,"":1}',
    '{%,"a":[1,]}',
    '{%,"a":[,1]}',
    '{%,"a":1 "b":2}',
    '{%,"a" 1}',
  ],
  ...[
    '{%,"a":1e5}',
    '{%,"a":1E+05}',
    '{%,"a":-0}',
    '{%,"a":123456789012345678901234567890}',
    '{%,"a":"\\/"}',
    '{%,"a":nul}',
    '{%,"a":"\\b\\f\\n\\r\\t"}',
  ],
  ...[
    '{%,"a":"\ufffe\uffff"}',
    '{%,"a":"\\u0000"}',
    '{%,"\\u0000":1}',
    '{%,"__proto__":{"x":1}}',
    '{%,"constructor":1}',
    '{%,"toString":null}',
  ],
  ...[50, 98, 99, 100, 101, 200].map((depth) => `{%,"a":${"[".repeat(depth)}${"]".repeat(depth)}}`),
  ...[50, 98, 99, 100, 101].map((depth) => `{%,"a":${'{"b":'.repeat(depth)}1${"}".repeat(depth)}}`),
];

/** Bytes that are no UTF-8, inside a text. */
const oddBytes = ["ff", "c080", "eda080", "f4908080", "80", "c3", "e282", "f09f98"];

function oddText(random: Random, good: string): string {
  return random.pick(oddTexts).replaceAll("%", good.slice(1, -1));
}

function brokenUtf8(random: Random, good: string): Buffer {
  const bytes = Buffer.from(random.pick(oddBytes), "hex");
  return Buffer.concat([Buffer.from(`${good.slice(0, -1)},"bytes":"`), bytes, Buffer.from('"}')]);
}

/** Another key signs, under the name of the right one. */
function signWith(draft: TokenDraft, key: SigningKey, random: Random): void {
  const [algorithm, scheme] = random.pick(Object.entries(key.algorithms));
  draft.key = key;
  draft.scheme = scheme;
  setMember(draft.header, "alg", JSON.stringify(algorithm));
}

const everyAlgorithm = "ES256 ES384 ES512 HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 EdDSA".split(" ");
const oddAlgorithms = [
  '"none"',
  '"None"',
  '""',
  '"es256"',
  '"HS1"',
  '"ES256K"',
  '"RS256 "',
  "1",
  "null",
  '["RS256"]',
  '"RSA"',
  '"Ed25519"',
  '"HS256\\u0000"',
];

/** A claim that no header can carry: its own story, because a header may be made of it. */
export const controlCharacter = "control character";
const controls = ["\\u0000", "\\n", "\\r\\nx-evil: 1", "\\u007f", "\\u0001", "\\u001f"];

export const draftFaults: Readonly<Record<string, DraftFault>> = {
  expired: (draft, { random, now }) =>
    setMember(draft.payload, "exp", random.pick([`${now - 300}`, "1", "0.5", `${now - 90}`, "1e3"])),
  "not yet valid": (draft, { random, now }) =>
    setMember(draft.payload, "nbf", random.pick([`${now + 500}`, "4e9", `${now + 3600}.5`])),
  "odd exp": (draft, { random }) => setMember(draft.payload, "exp", random.pick(oddTimes)),
  "odd nbf": (draft, { random }) => setMember(draft.payload, "nbf", random.pick(oddTimes)),
  "odd iat": (draft, { random }) => setMember(draft.payload, "iat", random.pick(oddTimes)),
  "wrong issuer": (draft, { random }) =>
    setMember(
      draft.payload,
      "iss",
      random.pick(['"https://unknown"', '"i3 "', '"I3"', '"https://i1/"', '""', '"https://i2"', undefined]),
    ),
  "odd iss": (draft, { random }) => setMember(draft.payload, "iss", random.pick(oddValues)),
  "odd sub": (draft, { random }) => setMember(draft.payload, "sub", random.pick(oddValues)),
  [controlCharacter]: (draft, { random }) =>
    setMember(
      draft.payload,
      random.pick(["sub", "jti", "s", "u", "o.k", "azp"]),
      `"a${random.pick(controls)}${random.pick(["b", ""])}"`,
    ),
  "odd jti": (draft, { random }) => setMember(draft.payload, "jti", random.pick(oddValues)),
  "odd aud": (draft, { random }) => setMember(draft.payload, "aud", random.pick(oddAudiences)),
  "wrong audience": (draft, { random, audiences }) => {
    const near = audiences.flatMap((a) => [
      `${a}x`,
      a.toUpperCase(),
      `${a}//`,
      `http://https://${a}`,
      ` ${a}`,
      `HTTP://${a}`,
      `ftp://${a}`,
    ]);
    setMember(
      draft.payload,
      "aud",
      random.pick([undefined, '"nope"', "[]", '""', ...near.map((one) => JSON.stringify(one))]),
    );
  },
  "two faults": (draft, { random, now }) => {
    setMember(draft.payload, "exp", `${now - 300}`);
    setMember(draft.payload, random.pick(["aud", "iss", "nbf"]), random.pick(['"nope"', `${now + 900}`]));
  },
  "other alg": (draft, { random }) => setMember(draft.header, "alg", JSON.stringify(random.pick(everyAlgorithm))),
  "odd alg": (draft, { random }) => setMember(draft.header, "alg", random.pick([...oddAlgorithms, undefined])),
  "alg and digest": (draft, { random }) => {
    setMember(draft.header, "alg", JSON.stringify(random.pick(everyAlgorithm)));
    draft.scheme = random.pick([
      ...(["sha256", "sha384", "sha512"] as const).map((digest) => ({ digest })),
      ...(["sha256", "sha384", "sha512"] as const).map((digest) => ({ digest, pss: true })),
    ]);
  },
  "other kid": (draft, { random }) =>
    setMember(draft.header, "kid", random.pick(['"nope"', '"rsa-1"', '"RSA-1"', '"ec256-1"', '""', undefined])),
  "odd kid": (draft, { random }) => setMember(draft.header, "kid", random.pick(oddValues)),
  "more in the header": (draft, { random }) => {
    const more = ['["exp"]', "[]", '"x"', "null", "false", "true", '{"kty":"oct","k":"AA"}', '"https://evil/jwks"'];
    setMember(
      draft.header,
      random.pick(["crit", "b64", "typ", "cty", "jwk", "jku", "x5c", "zip", "enc"]),
      random.pick(more),
    );
  },
  "foreign key": (draft, { random, foreign }) => signWith(draft, random.pick(foreign), random),
  "other known key": (draft, { random, known }) => signWith(draft, random.pick(known), random),
  "header text": (draft, { random }) => {
    draft.headerBytes = Buffer.from(oddText(random, rawObject(draft.header)));
  },
  "payload text": (draft, { random }) => {
    draft.payloadBytes = Buffer.from(oddText(random, rawObject(draft.payload)));
  },
  "header bytes": (draft, { random }) => {
    draft.headerBytes = brokenUtf8(random, rawObject(draft.header));
  },
  "payload bytes": (draft, { random }) => {
    draft.payloadBytes = brokenUtf8(random, rawObject(draft.payload));
  },
  "member twice": (draft, { random }) => {
    const members = random.pick([draft.header, draft.payload]);
    members.push(random.pick(members));
  },
};

/** At the last second at which a time counts, and beside it; for a clock that stands. */
export const edgeFaults: Readonly<Record<string, DraftFault>> = {
  "edge of exp": (draft, { random, now }) =>
    setMember(
      draft.payload,
      "exp",
      random.pick(["", ".0", ".5", ".999999"].map((part) => now - 60 + random.int(-1, 1) + part)),
    ),
  "edge of nbf": (draft, { random, now }) =>
    setMember(
      draft.payload,
      "nbf",
      random.pick(["", ".0", ".5", ".999999"].map((part) => now + 60 + random.int(-1, 1) + part)),
    ),
};
