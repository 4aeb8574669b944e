import type { CorpusToken } from "./corpus.ts";
import { parseCases, segment } from "./parse-cases.ts";
import { keySetOf, signWith, type TestKeys } from "./test-keys.ts";
import { headerOf, payload, tokenOf, unsigned, withSignature } from "./token-text.ts";

/** Tokens in odd writing: base64url, dots, JSON. Those with a signature are well signed, over the text as it stands. */
export function* textCorpus(keys: TestKeys): Generator<CorpusToken> {
  const jwks = keySetOf([keys.p256]);
  for (const [i, [token]] of parseCases.entries()) yield { name: `form ${i}`, token, jwks };
  yield* writing(keys, jwks);
  yield* json(keys, jwks);
  yield* wrapping(keys, jwks);
}

function* writing(keys: TestKeys, jwks: string): Generator<CorpusToken> {
  const plain = [segment(headerOf("ES256")), segment(payload)] as const;
  // Every way to write a segment otherwise; those of `same` are the same bytes to a lax reader.
  const ways: Readonly<Record<string, (text: string) => string>> = {
    plain: (text) => text,
    "with padding": (text) => text + "=".repeat((4 - (text.length % 4)) % 4),
    "with padding of dots": (text) => text + ".".repeat((4 - (text.length % 4)) % 4),
    "with one = too many": (text) => `${text}${"=".repeat((4 - (text.length % 4)) % 4)}=`,
    "with a space in front": (text) => ` ${text}`,
    "with a space at the end": (text) => `${text} `,
    "with a space inside": (text) => `${text.slice(0, 5)} ${text.slice(5)}`,
    "with a line end inside": (text) => `${text.slice(0, 5)}\r\n${text.slice(5)}`,
    "with a form feed inside": (text) => `${text.slice(0, 5)}\f${text.slice(5)}`,
    "with a vertical tab inside": (text) => `${text.slice(0, 5)}\v${text.slice(5)}`,
    "with a zero byte inside": (text) => `${text.slice(0, 5)}\0${text.slice(5)}`,
    "with a byte beyond ASCII": (text) => `${text.slice(0, 5)}\xa0${text.slice(5)}`,
    "with a plus": (text) => `${text.slice(0, 5)}+${text.slice(6)}`,
    "with a slash": (text) => `${text.slice(0, 5)}/${text.slice(6)}`,
    "with a percent sign": (text) => `${text.slice(0, 5)}%2E${text.slice(5)}`,
    "with = inside": (text) => `${text.slice(0, 4)}==${text.slice(4)}`,
    "with loose bits": (text) => text.slice(0, -1) + looser(text),
    "with a digit more": (text) => `${text}A`,
  };
  for (const [way, write] of Object.entries(ways)) {
    const [header, body] = [write(plain[0]), write(plain[1])];
    const signedAs = (signed: string, name: string, sign = signed) => ({
      name: `${name} ${way}`,
      token: withSignature(signed, signWith(keys.p256, sign)),
      jwks,
    });
    yield signedAs(`${header}.${plain[1]}`, "header");
    yield signedAs(`${plain[0]}.${body}`, "payload");
    yield signedAs(`${header}.${plain[1]}`, "signed plain, header", plain.join("."));
    yield signedAs(`${plain[0]}.${body}`, "signed plain, payload", plain.join("."));
    const [signed, signature] = splitSignature(tokenOf(keys.p256, "ES256"));
    yield { name: `signature ${way}`, token: `${signed}.${write(signature)}`, jwks };
    const [ofRsa, byRsa] = splitSignature(tokenOf(keys.rsa, "RS256"));
    yield { name: `RSA signature ${way}`, token: `${ofRsa}.${write(byRsa)}`, jwks: keySetOf([keys.rsa]) };
  }
}

/** The last digit with bits that do not count, where there are such. */
function looser(text: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const loose = { 2: 15, 3: 3 }[text.length % 4] ?? 0;
  return digits[digits.indexOf(text.at(-1)!) | loose]!;
}

function splitSignature(token: string): readonly [string, string] {
  const at = token.lastIndexOf(".");
  return [token.slice(0, at), token.slice(at + 1)];
}

function* json(keys: TestKeys, jwks: string): Generator<CorpusToken> {
  const headers = [
    '{"alg":"ES256","alg":"ES256"}',
    '{"alg":"none","alg":"ES256"}',
    '{"alg":"ES256","\\u0061lg":"none"}',
    '{"\\u0061lg":"ES256"}',
    '{"alg":"ES\\u0032\\u003556"}',
    '{"alg":"E\\u005325\\u0036"}',
    '{"alg":"ES256","kid":"a","kid":"b"}',
    '{"alg":"ES256","x":{"y":1,"y":2}}',
    "{'alg':'ES256'}",
    "{alg:'ES256'}",
    '{"alg":"ES256",}',
    '{"alg":"ES256"} ',
    '\r\n\t {"alg":"ES256"}',
    '{"alg":"ES256"}{}',
    '{"alg":"ES256"}\0',
    '\xef\xbb\xbf{"alg":"ES256"}',
    '{"alg":"ES256","x":"\x01"}',
    '{"alg":"ES256","x":"\xff"}',
    '{"alg":"ES256","x":"\\ud800"}',
    '{"alg":"ES256","x":"\\ud83d \\ude00"}',
    '{"alg":"ES256","x":1e999}',
    '{"alg":"ES256","__proto__":{"crit":1}}',
    '{"__proto__":{"alg":"ES256"}}',
    '{"constructor":{"alg":"ES256"}}',
    `{"alg":"ES256","x":${"[".repeat(99)}${"]".repeat(99)}}`,
    `{"alg":"ES256","x":${"[".repeat(100)}${"]".repeat(100)}}`,
    '[{"alg":"ES256"}]',
    '"ES256"',
    "null",
    "{}",
    '{"ALG":"ES256"}',
    '{"alg\\u0000":"ES256"}',
    '{/*c*/"alg":"ES256"}',
  ];
  for (const header of headers) {
    const signed = unsigned(header);
    yield {
      name: `header ${JSON.stringify(header).slice(0, 60)} ${header.length}`,
      token: withSignature(signed, signWith(keys.p256, signed)),
      jwks,
    };
  }
  const payloads = [
    "null",
    "{}",
    "[]",
    '{"exp":4102444800,"exp":1}',
    '{"sub":"a","s\\u0075b":"b"}',
    '{"exp":4102444800,"a":{"b":1,"b":1}}',
    "{'exp':4102444800}",
    "{exp:4102444800,}",
    '{"exp":4102444800} x',
    '{"exp":4102444800}\n',
    '\xef\xbb\xbf{"exp":4102444800}',
    '{"exp":4102444800,"a":"\xc3\x28"}',
    '{"exp":4102444800,"a":"\xed\xa0\x80"}',
    '{"exp":4102444800,"a":"\x00"}',
    '{"exp":"4102444800"}',
    '{"exp":4102444800.5}',
    '{"exp":0}',
    '{"exp":-0}',
    '{"exp":0.9}',
    '{"exp":1e400}',
    '{"exp":1e19}',
    '{"exp":18446744073709551616}',
    '{"exp":null}',
    '{"exp":true}',
    '{"exp":[4102444800]}',
    '{"nbf":-1,"exp":4102444800}',
    '{"iat":"x","exp":4102444800}',
    '{"iat":1e300,"exp":4102444800}',
    '{"iss":1,"exp":4102444800}',
    '{"sub":{},"exp":4102444800}',
    '{"jti":[],"exp":4102444800}',
    '{"aud":{},"exp":4102444800}',
    '{"aud":[["a"]],"exp":4102444800}',
    '{"aud":[],"exp":4102444800}',
    `{"exp":4102444800,"a":${"[".repeat(99)}${"]".repeat(99)}}`,
    `{"exp":4102444800,"a":${"[".repeat(100)}${"]".repeat(100)}}`,
    `{"exp":4102444800,"a":${'{"b":'.repeat(99)}1${"}".repeat(99)}}`,
    `{"exp":4102444800,"a":${'{"b":'.repeat(100)}1${"}".repeat(100)}}`,
  ];
  for (const body of payloads) {
    const signed = unsigned(headerOf("ES256"), body);
    yield {
      name: `payload ${JSON.stringify(body).slice(0, 60)} ${body.length}`,
      token: withSignature(signed, signWith(keys.p256, signed)),
      jwks,
    };
  }
}

function* wrapping(keys: TestKeys, jwks: string): Generator<CorpusToken> {
  const good = tokenOf(keys.p256, "ES256");
  const [header, body, signature] = good.split(".") as [string, string, string];
  const texts: Readonly<Record<string, string>> = {
    "as it is": good,
    nothing: "",
    "a dot in front": `.${good}`,
    "a dot at the end": `${good}.`,
    "two dots inside": `${header}..${body}.${signature}`,
    "dots everywhere": `..${header}...${body}..${signature}....`,
    "two pieces": `${header}.${body}`,
    "a fourth piece": `${good}.x`,
    "five pieces": `${good}.x.y`,
    "a space for a fourth piece": `${good}. `,
    "the header left out": `.${body}.${signature}`,
    "the payload left out": `${header}..${signature}`,
    "the pieces in another order": `${body}.${header}.${signature}`,
    "Bearer in front": `Bearer ${good}`,
    "a quote around": `"${good}"`,
    "a space in front": ` ${good}`,
    "a line end behind": `${good}\n`,
    "a zero byte behind": `${good}\0`,
    "a comma and another": `${good},${good}`,
    twice: `${good}.${good}`,
    "JSON serialization": JSON.stringify({ payload: body, protected: header, signature }),
    "general JSON serialization": JSON.stringify({ payload: body, signatures: [{ protected: header, signature }] }),
    "detached payload": `${header}..${signature}`,
    "percent-encoded dots": good.replaceAll(".", "%2E"),
    "in upper case": good.toUpperCase(),
    "ideographic full stops": good.replaceAll(".", "\xe3\x80\x82"),
  };
  for (const [name, token] of Object.entries(texts)) yield { name: `text: ${name}`, token, jwks };
}
