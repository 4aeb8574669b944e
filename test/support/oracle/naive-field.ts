import { type HeaderLines, type PeerNames, type RequestAttributes, UNKNOWN } from "#authz/engine/attributes";
import type { FieldTest, TextTest, ValueTest } from "#policy-compiler/ruleset/model";

/**
 * Fields as Istio compiles them for Envoy, written down once more with regular expressions and by trying every possibility:
 * slow, obvious, and made of nothing that the engine is made of. True, false, or undefined for unknown.
 */
export type Naive = boolean | undefined;

export function naiveField(field: FieldTest, request: RequestAttributes): Naive {
  const any = (values: readonly ValueTest[]) => some(values.map((value) => naiveLeaf(field, value, request)));
  const values = field.values.length === 0 ? true : any(field.values);
  const unwanted = any(field.notValues);
  return every([values, unwanted === undefined ? undefined : !unwanted]);
}

export function some(results: readonly Naive[]): Naive {
  return results.includes(true) ? true : results.includes(undefined) ? undefined : false;
}

export function every(results: readonly Naive[]): Naive {
  return results.includes(false) ? false : results.includes(undefined) ? undefined : true;
}

function naiveLeaf({ attribute }: FieldTest, value: ValueTest, request: RequestAttributes): Naive {
  switch (attribute.kind) {
    case "host":
      return on(request.http?.host, (host) =>
        presence(
          value,
          host.replace(/[A-Z]/g, (c) => c.toLowerCase()),
        ),
      );
    case "method":
      return on(request.http?.method, (method) => presence(value, method));
    case "path":
      return on(request.http?.path, (path) => pattern(value).test(path));
    case "sni":
      return on(request.sni, (sni) => pattern(value).test(sni));
    case "port":
      return on(request.destinationPort, (port) => value.kind === "port" && value.port === port);
    case "peerAddress":
    case "remoteAddress":
    case "destinationAddress":
      return on(request[attribute.kind], ({ bytes }) => {
        if (value.kind !== "cidr" || bytes.length !== value.bytes.length) return false;
        const bits = (list: ArrayLike<number>) =>
          Array.from(list, (byte) => byte.toString(2).padStart(8, "0")).join("");
        return bits(bytes).slice(0, value.prefixLength) === bits(value.bytes).slice(0, value.prefixLength);
      });
    case "identity":
      return on(request.peer, (peer) => naiveIdentity(value, peer));
    case "header":
      return naiveHeader(value, request.http?.headers.get(attribute.name));
    case "claim":
      return on(request.claims, (claims) => claim(walk(claims, attribute.path), value));
    case "requestPrincipal":
      return on(request.claims, (claims) => {
        if (value.kind !== "requestPrincipal") return undefined;
        const string = (name: string, test: TextTest) => {
          const found = walk(claims, [name]);
          return typeof found === "string" && regex(test).test(found);
        };
        return string("iss", value.iss) && string("sub", value.sub);
      });
    case "metadata":
      return on(request.metadata(attribute.namespace, attribute.key), (found) => {
        if (value.kind !== "metadata") return undefined;
        const items = typeof found === "string" ? [found] : found;
        return (typeof found !== "string") === value.list && items.some((item) => regex(value.test).test(item));
      });
  }
}

function on<T>(value: T | undefined | typeof UNKNOWN, test: (value: T) => Naive): Naive {
  return value === UNKNOWN ? undefined : value === undefined ? false : test(value as T);
}

function walk(claims: unknown, path: readonly string[]): unknown {
  let at = claims;
  for (const step of path) {
    if (at === null || typeof at !== "object" || Array.isArray(at)) return undefined;
    at = new Map(Object.entries(at)).get(step);
  }
  return at;
}

function claim(found: unknown, value: ValueTest): boolean {
  const items = Array.isArray(found) ? found : [found];
  return items.some((item) => typeof item === "string" && pattern(value).test(item));
}

/** RE2 in Latin-1, as Envoy uses it: any byte but a newline. */
const DOT = "[^\\n]";
const NOT_SLASH = "[^/]";
const CLASS = "[-A-Za-z0-9._~%!$&'()+,;:@=*]";

function whole(source: string): RegExp {
  return new RegExp(`^(?:${source})$`, "s");
}

/** Every character as its code, so that nothing in it has a meaning. */
function quote(text: string): string {
  return Array.from(text, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
}

function regex(test: TextTest): RegExp {
  switch (test.op) {
    case "present":
      return whole(`${DOT}+`);
    case "exact":
      return whole(quote(test.text));
    case "prefix":
      return whole(`${quote(test.text)}[^]*`);
    case "suffix":
      return whole(`[^]*${quote(test.text)}`);
  }
}

function pattern(value: ValueTest): RegExp {
  switch (value.kind) {
    case "text":
      return regex(value.test);
    case "template": {
      const glob = (i: number) =>
        value.globs[i] === "*" ? `${CLASS}+` : value.globs[i] === "**" ? `(?:${CLASS}|/)*` : "";
      return whole(value.pieces.map((piece, i) => quote(piece) + glob(i)).join(""));
    }
    case "principal":
      return value.test.op === "suffix" ? whole(`spiffe://${DOT}*${quote(value.test.text)}`) : regex(value.test);
    case "namespace":
      return whole(`${DOT}*/ns/${value.pieces.map(quote).join(`${DOT}*`)}/${DOT}*`);
    case "serviceAccount":
      return whole(`spiffe://${DOT}+/ns/${quote(value.namespace)}/(?:${DOT}+/)?sa/${quote(value.name)}(?:/${DOT}+)?`);
    case "trustDomain":
      if (value.op === "any") return whole("spiffe://[^]*");
      if (value.op === "exact") return whole(`spiffe://${quote(value.text)}/[^]*`);
      return whole(`spiffe://${quote(value.before)}${NOT_SLASH}*${quote(value.after)}/${DOT}*`);
    default:
      throw new Error(`${value.kind} is no pattern of text`);
  }
}

function presence(value: ValueTest, text: string): boolean {
  return (value.kind === "text" && value.test.op === "present") || pattern(value).test(text);
}

function naiveIdentity(value: ValueTest, peer: PeerNames): Naive {
  const matches = pattern(value);
  if (peer.names.some((name) => matches.test(name))) return true;
  const lists = peer.opaque.map((list) => {
    if (value.kind === "principal" && value.test.op === "present") {
      return matches.test(list) ? true : list === "" ? false : undefined;
    }
    return literalsOf(value).every((literal) => list.includes(literal)) ? undefined : false;
  });
  return some([...lists, peer.complete ? false : undefined]);
}

/** What a name must hold to match. */
function literalsOf(value: ValueTest): readonly string[] {
  switch (value.kind) {
    case "principal":
      if (value.test.op === "present") return [];
      return value.test.op === "suffix" ? ["spiffe://", value.test.text] : [value.test.text];
    case "namespace": {
      const pieces = value.pieces.map((piece, i) => (i === 0 ? "/ns/" : "") + piece);
      return pieces.map((piece, i) => piece + (i === pieces.length - 1 ? "/" : ""));
    }
    case "serviceAccount":
      return ["spiffe://", `/ns/${value.namespace}/`, `sa/${value.name}`];
    case "trustDomain":
      if (value.op === "any") return ["spiffe://"];
      return value.op === "exact" ? [`spiffe://${value.text}/`] : [`spiffe://${value.before}`, `${value.after}/`];
    default:
      return [];
  }
}

/** Joined lines: every way to split at commas is tried. */
function naiveHeader(value: ValueTest, header: HeaderLines | undefined): Naive {
  if (header === undefined) return false;
  const ways = header.joined ? header.lines.map(waysToSplit) : [[header.lines]];
  return some(
    ways.map((each) => {
      const results = each.map((lines) => lines.some((line) => presence(value, line)));
      return results.every((held) => held) ? true : results.some((held) => held) ? undefined : false;
    }),
  );
}

function waysToSplit(text: string): readonly (readonly string[])[] {
  const [first = "", ...rest] = text.split(",");
  return rest.reduce<readonly (readonly string[])[]>(
    (ways, piece) =>
      ways.flatMap((lines) => [
        [...lines, piece],
        [...lines.slice(0, -1), `${lines.at(-1)},${piece}`],
      ]),
    [[first]],
  );
}
