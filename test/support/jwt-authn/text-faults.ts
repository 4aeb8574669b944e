import { createHmac } from "node:crypto";
import type { FaultContext } from "./draft-faults.ts";
import { signDraft, type TokenDraft } from "./token-draft.ts";

/** What can be wrong, or merely odd, with a token after it was signed. Gets the good text. */
export type TextFault = (text: string, draft: TokenDraft, context: FaultContext) => string;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function segments(text: string): [header: string, payload: string, signature: string] {
  const [header = "", payload = "", signature = ""] = text.split(".");
  return [header, payload, signature];
}

/** Applies a change to one segment, chosen at random. */
function inOne(change: (segment: string, context: FaultContext) => string): TextFault {
  return (text, _, context) => {
    const parts = segments(text);
    const at = context.random.int(0, 2);
    parts[at] = change(parts[at]!, context);
    return parts.join(".");
  };
}

function insertInto(segment: string, { random }: FaultContext, what: string): string {
  const at = random.int(0, segment.length);
  return `${segment.slice(0, at)}${what}${segment.slice(at)}`;
}

export const textFaults: Readonly<Record<string, TextFault>> = {
  "character changed": inOne((segment, { random }) => {
    const at = random.int(0, Math.max(0, segment.length - 1));
    return `${segment.slice(0, at)}${random.pick([...alphabet])}${segment.slice(at + 1)}`;
  }),
  "last character changed": inOne((segment, { random }) => `${segment.slice(0, -1)}${random.pick([...alphabet])}`),
  "unused bits": inOne((segment) => {
    const last = alphabet.indexOf(segment.at(-1) ?? "A");
    return `${segment.slice(0, -1)}${alphabet[last ^ 1]}`;
  }),
  padding: inOne((segment, { random }) => `${segment}${random.pick(["=", "==", "===", "====", "=A", "%3D"])}`),
  "right padding": inOne((segment) => `${segment}${"=".repeat((4 - (segment.length % 4)) % 4)}`),
  "white space": inOne((segment, context) =>
    insertInto(segment, context, context.random.pick([" ", "\t", "  ", " \t "])),
  ),
  "other alphabet": inOne((segment) => segment.replaceAll("-", "+").replaceAll("_", "/")),
  "foreign character": inOne((segment, context) =>
    insertInto(segment, context, context.random.pick([..."+/*,~!%&=;:|'\"(){}\u00e9"])),
  ),
  shorter: inOne((segment, { random }) => segment.slice(0, -random.int(1, 5))),
  longer: inOne((segment, { random }) => segment + "A".repeat(random.int(1, 5))),
  "empty segment": inOne(() => ""),
  segments: (text, _, { random }) => {
    const [header, payload, signature] = segments(text);
    return random.pick([
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${payload}.${signature}`,
      `.${text}`,
      `${text}.`,
      `..${header}...${payload}..${signature}...`,
      `${text}.${signature}`,
      `${header}`,
      ".",
      "..",
      "...",
      `${payload}.${header}.${signature}`,
      `${header}.${payload}.${signature}.x.y`,
    ]);
  },
  behind: (text, _, { random }) =>
    text + random.pick([",", ", x", " x", ";", '"', ` ${text}`, `,${text}`, "\t", " ", "'", ">", "#", "?x", "&x"]),
  before: (text, _, { random }) =>
    random.pick([" ", "  ", '"', "'", ",", "<", "=", ":", "\t", ".", "~~", "Bearer ", "x "]) + text,
  "signature of another": (text, draft) => {
    const [header, payload] = segments(text);
    const other = { ...draft, payload: [...draft.payload, ["other", "1"] as const] };
    return `${header}.${payload}.${segments(signDraft(other))[2]}`;
  },
  "payload replaced": (text, draft) => {
    const [header, , signature] = segments(text);
    const payload = Buffer.from(`{"iss":${draft.payload.find(([name]) => name === "iss")?.[1] ?? '""'},"sub":"root"}`);
    return `${header}.${payload.toString("base64url")}.${signature}`;
  },
  unsecured: (text) => {
    const [, payload] = segments(text);
    return `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.`;
  },
  "public key as secret": (text, draft, { random }) => {
    const secret = random.pick([draft.key.jwk["n"] ?? draft.key.jwk["x"] ?? "", JSON.stringify(draft.key.jwk)]);
    const kid = draft.header.find(([name]) => name === "kid")?.[1];
    const header = Buffer.from(`{"alg":"HS256"${kid === undefined ? "" : `,"kid":${kid}`}}`).toString("base64url");
    const signed = `${header}.${segments(text)[1]}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  },
  "signature in DER": (text, draft) => {
    const [header, payload] = segments(text);
    const der = draft.key.signDer?.(`${header}.${payload}`, draft.scheme);
    return der === undefined ? text : `${header}.${payload}.${der.toString("base64url")}`;
  },
  "zero signature": (text) => {
    const [header, payload, signature] = segments(text);
    return `${header}.${payload}.${Buffer.alloc(Buffer.from(signature, "base64url").length).toString("base64url")}`;
  },
  "signature with zeros in front": (text) => {
    const [header, payload, signature] = segments(text);
    const bytes = Buffer.concat([Buffer.alloc(1), Buffer.from(signature, "base64url")]);
    return `${header}.${payload}.${bytes.toString("base64url")}`;
  },
  "no token": (_, __, { random }) =>
    random.pick(["abc", "", "a.b.c", "null", "undefined", "e30.e30.e30", "{}", "Bearer", "e30.e30.", "\u00e9", "*"]),
};
