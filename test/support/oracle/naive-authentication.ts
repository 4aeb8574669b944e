import { parseToken } from "#identity/token/parse";
import type { TokenFault } from "#identity/token/token";
import type { JwtRule } from "#policy-compiler/ruleset/model";
import { type Asked, NOW, signatureFault } from "#test/support/authenticate/scene";

/** What Istio asks of a request, as a tree. */
type Requirement =
  | { readonly provider: number }
  | { readonly any: readonly Requirement[]; readonly orMissing: boolean }
  | { readonly all: readonly Requirement[] };

export interface NaiveAnswer {
  /** `missing` does not come out: Istio lets a request without token pass. */
  readonly status: "ok" | TokenFault;
  readonly claims: Readonly<Record<string, unknown>> | undefined;
  readonly lines: readonly (readonly [name: string, value: string])[];
  readonly target: string;
  /** `<provider> <token>` in the order in which their signatures were computed first. */
  readonly verified: readonly string[];
}

/** Walks the tree as Envoy walks it: every node reports its status to the one above, and the request is changed on the way. */
export function naiveAuthentication(given: readonly JwtRule[], asked: Asked): NaiveAnswer {
  const rules = given.toSorted((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0));
  const outputsOf = (rule: JwtRule) =>
    [rule.outputPayloadToHeader ?? "", ...rule.outputClaimToHeaders.map(({ header }) => header)].map(lower);
  const everyOutput = rules.flatMap(outputsOf);
  let lines = (asked.headers ?? []).map(([name, value]) => [lower(name), value] as const);
  lines = lines.filter(([name]) => !everyOutput.includes(name));
  let target = asked.target ?? "/";
  let claims: Readonly<Record<string, unknown>> | undefined;
  const verified = new Set<string>();

  const tokensOf = (rule: JwtRule): readonly (readonly [place: string, text: string])[] => {
    const byDefault = rule.fromHeaders.length + rule.fromParams.length + rule.fromCookies.length === 0;
    const headers = byDefault ? [{ name: "authorization", prefix: "Bearer " }] : rule.fromHeaders;
    const params = byDefault ? ["access_token"] : rule.fromParams;
    const sorted = <T>(items: readonly T[], key: (item: T) => string) =>
      [...new Map(items.toReversed().map((item) => [key(item), item]))].sort(([a], [b]) => (a < b ? -1 : 1));
    const found: [string, string][] = [];
    for (const [, { name, prefix }] of sorted(headers, ({ name, prefix }) => lower(name) + prefix)) {
      for (const [own, value] of lines) {
        if (own !== lower(name) || !value.includes(prefix)) continue;
        const rest = value.slice(value.indexOf(prefix) + prefix.length);
        const start = rest.search(/[-\w.]/);
        found.push([`header ${own}`, prefix === "" || start < 0 ? value : rest.slice(start)]);
      }
    }
    for (const [name] of sorted(params, (param) => param)) {
      const first = queryOf(target).find(([own]) => own === name);
      if (first !== undefined) found.push([`param ${name}`, first[1]]);
    }
    const cookies = lines.filter(([name]) => name === "cookie").flatMap(([, value]) => value.split(";"));
    for (const [name] of sorted(rule.fromCookies, (cookie) => cookie)) {
      const first = cookies.find((cookie) => cookie.trimStart().startsWith(`${name}=`));
      const quoted = first?.slice(first.indexOf("=") + 1);
      if (quoted !== undefined) found.push([`cookie ${name}`, /^".*"$/.test(quoted) ? quoted.slice(1, -1) : quoted]);
    }
    return found;
  };

  const faultOf = (index: number, text: string): TokenFault | undefined => {
    const rule = rules[index]!;
    const parse = parseToken(text);
    if (!parse.ok) return parse.fault;
    const { issuer, notBefore, expiresAt, audiences, signature } = parse.token;
    if (rule.issuer !== "" && rule.issuer !== issuer) return "issuerUnknown";
    if (notBefore > NOW + 60) return "notYetValid";
    if (expiresAt !== 0 && expiresAt + 60 < NOW) return "expired";
    if (rule.audiences.length > 0 && !rule.audiences.some((one) => audiences.includes(one))) return "audience";
    verified.add(`origins-${index} ${text}`);
    return signatureFault(signature, rule);
  };

  const evaluate = (index: number): "ok" | TokenFault => {
    const rule = rules[index]!;
    lines = lines.filter(([name]) => !outputsOf(rule).includes(name));
    const tokens = tokensOf(rule);
    for (const [place, text] of tokens.toReversed()) {
      const fault = faultOf(index, text);
      if (fault !== undefined) return fault;
      const parse = parseToken(text);
      if (!parse.ok) throw new Error("a good token that is none");
      claims = parse.token.claims;
      if (rule.outputPayloadToHeader !== undefined)
        lines.push([lower(rule.outputPayloadToHeader), text.split(".")[1]!]);
      for (const { header, claim } of rule.outputClaimToHeaders) {
        const value = parse.token.claims[claim];
        if (typeof value === "string" && value !== "") lines.push([lower(header), value]);
      }
      const [kind, name] = place.split(" ");
      if (rule.forwardOriginalToken) continue;
      if (kind === "header") lines = lines.filter(([own]) => own !== name);
      if (kind === "param") target = withoutParameter(target, name!);
    }
    return tokens.length > 0 ? "ok" : "missing";
  };

  const walk = (requirement: Requirement): "ok" | TokenFault => {
    if ("provider" in requirement) return evaluate(requirement.provider);
    if ("all" in requirement) {
      for (const child of requirement.all) {
        const status = walk(child);
        if (status !== "ok") return status;
      }
      return "ok";
    }
    let final: "ok" | TokenFault = "missing";
    for (const child of requirement.any) {
      const status = walk(child);
      if (status === "ok") return "ok";
      if ((status !== "missing" && status !== "issuerUnknown") || final === "missing") final = status;
    }
    return final === "missing" && requirement.orMissing ? "ok" : final;
  };

  const providers = rules.map((_, provider) => ({ provider }));
  const optional = providers.map((provider): Requirement => ({ any: [provider], orMissing: true }));
  const status = walk(
    optional.length === 1 ? optional[0]! : { any: [...providers, { all: optional }], orMissing: false },
  );
  return { status, claims, lines, target, verified: [...verified] };
}

function lower(text: string): string {
  return text.toLowerCase();
}

function queryOf(target: string): readonly (readonly [name: string, value: string])[] {
  const query = target.split("?")[1] ?? "";
  return query.split("&").map((piece) => {
    const [name = "", ...rest] = piece.split("=");
    return [name, rest.join("=")] as const;
  });
}

function withoutParameter(target: string, name: string): string {
  const [path = "", query = ""] = target.split("?");
  const kept = query.split("&").filter((piece) => piece.split("=")[0] !== name);
  return kept.length === 0 ? path : `${path}?${kept.join("&")}`;
}
