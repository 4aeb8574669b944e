import { utf8Text } from "#identity/encoding/byte-string";
import type { EachKey } from "#identity/key-set/read-each-key";
import type { KeySourceStatus } from "#identity/key-sources/contract";
import { nameOfSource, shownKey } from "#identity/key-sources/shown";
import { tokenFaults } from "#identity/token/token";
import { printable } from "#policy-compiler/source/render";
import type { FetchedKeys } from "../jwks/fetch-keys.ts";
import type { PlacedRule } from "../jwks/policy-sources.ts";
import type { TestedToken, TokenAnswer } from "../jwks/test-token.ts";

/** A source of keys with its state and the rules that name it. */
export interface ShownSource {
  readonly status: KeySourceStatus;
  readonly rules: readonly PlacedRule[];
}

/** A key of a fetched document as JSON; never its numbers. */
function keyRow(each: EachKey) {
  if (!each.usable) return each;
  const { crv, otherUse } = each.key;
  return {
    usable: true,
    ...shownKey(each.key),
    ...(crv === undefined ? {} : { crv }),
    ...(otherUse === true ? { otherUse } : {}),
  };
}

export function fetchedJson({ keys, ...rest }: FetchedKeys): object {
  return { ...rest, keys: keys.map(keyRow) };
}

export function renderFetched({ discovery, uri, maxAgeSeconds, keys, notes, fault }: FetchedKeys): string {
  const usable = keys.filter((each) => each.usable).length;
  const fresh = maxAgeSeconds === undefined ? "" : `  (max-age ${maxAgeSeconds} s)`;
  return linesText([
    ...(discovery === undefined ? [] : [`discovery  ${discovery}`]),
    ...(uri === undefined ? [] : [`keys       ${uri}${fresh}`]),
    ...keys.map(keyText),
    ...notes.map((note) => `note: ${note}`),
    ...(fault === undefined ? [] : [faultText(fault)]),
    `${usable} usable, ${keys.length - usable} skipped`,
  ]);
}

function keyText(each: EachKey): string {
  if (!each.usable) return `  skipped  ${words([each.kty, kidText(each.kid)])}: ${each.reason}`;
  const { kty, kid, alg } = shownKey(each.key);
  const use = each.key.otherUse === true ? "(meant for another use; Envoy takes it)" : "";
  return `  usable   ${words([kty, each.key.crv ?? "", alg, kidText(kid), use])}`;
}

export function sourceJson({ status, rules }: ShownSource): object {
  return { ...status, rules: rules.map(({ policy, origin }) => ({ policy, origin })) };
}

export function renderSources(sources: readonly ShownSource[]): string {
  if (sources.length === 0) return "no RequestAuthentication has a JWT rule\n";
  return linesText(
    sources.flatMap(({ status, rules }) => [
      `${status.name}  ${stateText(status)}`,
      ...status.keys.map(({ kty, kid, alg }) => `  ${words([kty, alg, kidText(kid)])}`),
      ...(status.fault === undefined ? [] : [`  ${faultText(status.fault)}`]),
      ...rules.map(({ policy, origin }) => `  for ${policy} (${origin.file}:${origin.line})`),
    ]),
  );
}

function answerJson(answer: TokenAnswer): object {
  if (answer.kind === "accepted") return { outcome: "accepted" };
  if (answer.kind === "missed") return { outcome: "no token" };
  const { status, text } = tokenFaults[answer.fault];
  return { outcome: "refused", status, text, fault: answer.fault };
}

/** What a test of a token found; `claims` undefined: nobody asked for them, or the token has none that can be read. */
export interface ShownTest {
  readonly tested: TestedToken;
  readonly states: ReadonlyMap<string, KeySourceStatus>;
  readonly claims: object | undefined;
}

export function testJson({ tested, states, claims }: ShownTest): object {
  return {
    ...answerJson(tested.together),
    rules: tested.alone.map(({ rule, answer }) => ({
      policy: rule.policy,
      origin: rule.origin,
      issuer: rule.rule.issuer,
      source: states.get(rule.source.id),
      ...answerJson(answer),
    })),
    ...(claims === undefined ? {} : { claims }),
  };
}

export function renderTest({ tested, states, claims }: ShownTest): string {
  return linesText([
    answerText(tested.together),
    ...tested.alone.flatMap(({ rule, answer }) => {
      const status = states.get(rule.source.id);
      const issuer = rule.rule.issuer === "" ? "any issuer" : rule.rule.issuer;
      return [
        `  ${rule.policy} (${rule.origin.file}:${rule.origin.line}), ${issuer}: ${answerText(answer)}`,
        `    keys: ${nameOfSource(rule.source)}  ${status === undefined ? "" : stateText(status)}`,
        ...(status?.fault === undefined ? [] : [`    ${faultText(status.fault)}`]),
      ];
    }),
    ...(claims === undefined ? [] : JSON.stringify(claims, undefined, 2).split("\n")),
  ]);
}

function answerText(answer: TokenAnswer): string {
  if (answer.kind === "accepted") return "accepted";
  if (answer.kind === "missed") return "no token: the rule does not look where it is";
  const { status, text } = tokenFaults[answer.fault];
  return `refused  ${status}  ${text}`;
}

function stateText({ state, keys }: KeySourceStatus): string {
  if (state !== "keys") return state;
  return keys.length === 1 ? "1 key" : `${keys.length} keys`;
}

function faultText({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${message} [${code}]`;
}

function kidText(kid: string): string {
  return kid === "" ? "" : `kid ${kid}`;
}

function words(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join("  ");
}

function linesText(lines: readonly string[]): string {
  return `${lines.map((line) => printable(line)).join("\n")}\n`;
}

/** Claims as people read them: texts were byte strings. Names and texts alone change. */
export function claimsText(value: unknown): unknown {
  if (typeof value === "string") return utf8Text(value);
  if (Array.isArray(value)) return value.map(claimsText);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [utf8Text(name), claimsText(each)]));
}
