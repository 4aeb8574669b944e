import { toAsciiLowerCase } from "#policy-compiler/ruleset/byte-string";

/** A piece of a header value that Envoy formats for each request. */
export type FormatPiece =
  | { readonly kind: "text"; readonly text: string }
  /** First line of a header (lower-case names, pseudo headers too), or of another where there is none; cut to a length. */
  | {
      readonly kind: "header";
      readonly name: string;
      readonly otherwise: string | undefined;
      readonly maxLength: number | undefined;
    }
  | { readonly kind: "protocol" };

export type FormatParse =
  | { readonly ok: true; readonly pieces: readonly FormatPiece[] }
  | { readonly ok: false; readonly fault: "syntax" | "unknown" };

/** `%COMMAND(parameters):length%`; parameters hold no `)`. */
const command = /%([A-Z_]+)(?:\(([^)]*)\))?(?::([0-9]+))?%/y;

/**
 * Reads a value of `includeAdditionalHeadersInCheck`, which Envoy takes for a format (its documentation of `HeaderParser`): `%%` is
 * one `%`, `%REQ(NAME?OTHER):LENGTH%` a header of the request, `%PROTOCOL%` its protocol. Other commands are `unknown` here.
 */
export function parseHeaderFormat(text: string): FormatParse {
  const pieces: FormatPiece[] = [];
  let literal = "";
  for (let at = 0; at < text.length; ) {
    if (text[at] !== "%") {
      literal += text[at++];
      continue;
    }
    if (text[at + 1] === "%") {
      literal += "%";
      at += 2;
      continue;
    }
    command.lastIndex = at;
    const found = command.exec(text);
    if (found === null) return { ok: false, fault: "syntax" };
    const piece = readCommand(found[1]!, found[2], found[3]);
    if (piece === undefined) return { ok: false, fault: "unknown" };
    if (literal !== "") pieces.push({ kind: "text", text: literal });
    literal = "";
    pieces.push(piece);
    at = command.lastIndex;
  }
  if (literal !== "") pieces.push({ kind: "text", text: literal });
  return { ok: true, pieces };
}

function readCommand(
  name: string,
  parameters: string | undefined,
  length: string | undefined,
): FormatPiece | undefined {
  if (name === "PROTOCOL" && parameters === undefined && length === undefined) return { kind: "protocol" };
  if (name !== "REQ" || parameters === undefined) return undefined;
  const [first = "", otherwise, ...more] = parameters.split("?");
  if (first === "" || otherwise === "" || more.length > 0) return undefined;
  return {
    kind: "header",
    name: toAsciiLowerCase(first),
    otherwise: otherwise === undefined ? undefined : toAsciiLowerCase(otherwise),
    maxLength: length === undefined ? undefined : Number(length),
  };
}
