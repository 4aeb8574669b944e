import type { Random } from "#test/support/random";
import type { RequestCase } from "../cases/case.ts";
import { cookies, headerLocations, type PolicySetDraft, params, type RuleDraft } from "./random-policies.ts";
import { type MadeToken, randomToken, type TokenSources } from "./random-token.ts";
import type { WrittenRule } from "./render.ts";

type Location =
  | { readonly in: "header"; readonly name: string; readonly prefix: string }
  | { readonly in: "param" | "cookie"; readonly name: string };

export interface RequestDraft {
  readonly request: NonNullable<RequestCase["request"]>;
  readonly tokens: readonly MadeToken[];
}

/** A request with none to four tokens, mostly where a rule looks for them. */
export function randomRequest(random: Random, { rules }: PolicySetDraft, sources: TokenSources): RequestDraft {
  const headers: [string, string][] = [];
  const query: string[] = random.pick([[], [], ["q=1"], ["q=1", "z=%41%2B"], [""], ["a=b=c", "tok2=1"]]);
  const crumbs: string[] = random.pick([[], [], ["z=1"]]);
  const tokens: MadeToken[] = [];
  for (let left = random.pick([0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4]); left > 0; left--) {
    const to = random.pick(rules);
    const token = tokens.length > 0 && random.chance(0.15) ? tokens[0]! : randomToken(random, to, sources);
    tokens.push(token);
    const location = random.chance(0.9) ? random.pick(locationsOf(to.rule)) : anyLocation(random);
    if (location.in === "header") headers.push(headerLine(random, location, token.text));
    else if (location.in === "param")
      query.splice(random.int(0, query.length), 0, ...parameters(random, location.name, token.text));
    else crumbs.splice(random.int(0, crumbs.length), 0, ...cookiePairs(random, location.name, token.text));
  }
  for (const line of cookieLines(random, crumbs)) headers.splice(random.int(0, headers.length), 0, ["Cookie", line]);
  headers.push(...forgedHeaders(random, rules), ...(random.chance(0.1) ? [anyLine(random)] : []));
  const shape = requestShape(random);
  headers.push(...shape.headers);
  const path = `${random.pick(paths)}${query.length > 0 ? `?${query.join("&")}` : ""}${random.chance(0.02) ? "#f?x=1" : ""}`;
  const authority = random.pick(["a.example", "a.example", "A.Example:8080"]);
  const http1 = { method: shape.method, authority, path, headers };
  return { request: random.chance(0.12) ? asHttp2(http1) : http1, tokens };
}

const paths = ["/", "/x", "/x", "/x/y", "/a/../x", "//x//y", "/%41%2f", "/x;p=1", "/\\x", "/pkg.Service/Method"];

function locationsOf({ fromHeaders = [], fromParams = [], fromCookies = [] }: WrittenRule): readonly Location[] {
  const found: readonly Location[] = [
    ...fromHeaders.map(({ name, prefix }): Location => ({ in: "header", name, prefix: prefix ?? "" })),
    ...fromParams.map((name): Location => ({ in: "param", name })),
    ...fromCookies.map((name): Location => ({ in: "cookie", name })),
  ];
  if (found.length > 0) return found;
  const bearer: Location = { in: "header", name: "authorization", prefix: "Bearer " };
  return [bearer, bearer, bearer, { in: "param", name: "access_token" }];
}

function anyLocation(random: Random): Location {
  const { name, prefix } = random.pick(headerLocations);
  return random.pick<Location>([
    { in: "header", name, prefix: prefix ?? "" },
    { in: "param", name: random.pick(params) },
    { in: "cookie", name: random.pick(cookies) },
  ]);
}

function headerLine(random: Random, { name, prefix }: Location & { in: "header" }, token: string): [string, string] {
  const spelled = random.pick([name, name, name.toLowerCase(), name.toUpperCase()]);
  if (random.chance(0.88)) return [spelled, prefix + token];
  const odd = [
    prefix.toLowerCase(),
    prefix + prefix,
    `x ${prefix}`,
    prefix.trim(),
    "",
    `${prefix} `,
    `${prefix}\t`,
    `Basic eDp5, ${prefix}`,
    `${prefix}"`,
    `"${prefix}`,
  ];
  return [spelled, random.pick(odd) + token];
}

/**
 * Once Envoy has taken another token out of the query it reads the rest decoded: without `&` and `%` in a token, which it would
 * then read as what they are not, and without white space at the end, where the application's target would end.
 */
function parameters(random: Random, name: string, found: string): string[] {
  const token = found.replace(/[&%]/g, "~").trimEnd();
  const key = random.chance(0.9)
    ? encodeURIComponent(name)
    : random.pick([
        encodedAll(name),
        encodeURIComponent(name.toUpperCase()),
        encodeURIComponent(name).replaceAll("%20", "+"),
      ]);
  const safe = /^[A-Za-z0-9_.~-]*$/.test(token);
  const value =
    safe && random.chance(0.85) ? token : random.pick([encodeURIComponent(token), encodedSome(random, token)]);
  const pair = `${key}=${value}`;
  if (random.chance(0.85)) return [pair];
  return random.pick([
    [pair, pair],
    [`${key}=`, pair],
    [pair, `${key}=`],
    [key, pair],
    [pair, `${key}=x`],
    [`${pair}%`],
    [pair, "z=1", `${key}=y`],
  ]);
}

function encodedAll(text: string): string {
  return Buffer.from(text).reduce((out, byte) => `${out}%${byte.toString(16).padStart(2, "0")}`, "");
}

function encodedSome(random: Random, text: string): string {
  return Array.from(text, (c) => (/[A-Za-z0-9_.-]/.test(c) && random.chance(0.9) ? c : encodedAll(c))).join("");
}

function cookiePairs(random: Random, name: string, token: string): string[] {
  const pair = `${name}=${token}`;
  if (random.chance(0.8)) return [pair];
  return random.pick([
    [`${name}="${token}"`],
    [`${name}="${token}`],
    [`${name}=${token}"`],
    [`${name} =${token}`],
    [`${name}= ${token}`],
    [` ${name}=${token} `],
    [`${name.toUpperCase()}=${token}`],
    [pair, pair],
    [`${name}=`, pair],
    [pair, `${name}=x`],
    [name, pair],
    [`x${name}=1`, pair],
    [`${name}==${token}`],
    ["", pair],
  ]);
}

function cookieLines(random: Random, pairs: readonly string[]): string[] {
  if (pairs.length === 0) return [];
  if (random.chance(0.2)) return [...pairs];
  return [pairs.join(random.pick(["; ", "; ", "; ", ";", " ; ", ", "]))];
}

/** What a client sends under the names that are the rules' own. */
function forgedHeaders(random: Random, rules: readonly RuleDraft[]): [string, string][] {
  const names = rules.flatMap(({ rule }) => [
    ...(rule.outputPayloadToHeader === undefined ? [] : [rule.outputPayloadToHeader]),
    ...(rule.outputClaimToHeaders ?? []).map(({ header }) => header),
  ]);
  if (names.length === 0 || random.chance(0.75)) return [];
  return random.list(1, 2, () => {
    const name = random.pick(names);
    return [random.pick([name, name.toUpperCase(), name.toLowerCase()]), random.pick(["forged", "", "alice"])];
  });
}

function anyLine(random: Random): [string, string] {
  return random.pick([
    ["Authorization", "Basic eDp5"],
    ["Authorization", "Bearer"],
    ["Authorization", "Bearer ,"],
    ["x-jwt", ""],
    ["x-other-jwt", "null"],
    ["User-Agent", "ua"],
    ["x-forwarded-proto", "https"],
    ["Authorization", "Negotiate \u00e9"],
  ]);
}

/** Method, and the headers that belong to a kind of request. */
function requestShape(random: Random): { readonly method: string; readonly headers: [string, string][] } {
  const percent = random.int(0, 99);
  if (percent < 7) {
    const full: [string, string][] = [
      ["Origin", "https://o"],
      ["Access-Control-Request-Method", "GET"],
    ];
    const headers = random.pick([
      full,
      full,
      full,
      full.slice(0, 1),
      full.slice(1),
      [["Origin", ""], full[1]!] as [string, string][],
    ]);
    return { method: random.pick(["OPTIONS", "OPTIONS", "OPTIONS", "GET"]), headers };
  }
  if (percent < 15) {
    const type = random.pick([
      "application/grpc",
      "application/grpc",
      "application/grpc+proto",
      "application/grpc-web",
      "Application/grpc",
    ]);
    return { method: "POST", headers: [["content-type", type]] };
  }
  if (percent < 20) return { method: "HEAD", headers: [] };
  return { method: random.pick(["GET", "GET", "GET", "POST", "DELETE"]), headers: [] };
}

/** The same over HTTP/2, where that can carry it: no bytes beyond ASCII, no white space around a value. */
function asHttp2(request: RequestDraft["request"]): RequestDraft["request"] {
  const lines = (request.headers ?? []).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const unfit = lines.some(([, value]) => value !== value.trim() || /[^\x20-\x7e]/.test(value));
  return unfit ? request : { ...request, headers: lines, protocol: "HTTP/2", scheme: "http" };
}
