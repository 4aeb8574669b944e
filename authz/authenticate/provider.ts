import type { KeySource } from "#identity/key-set/key-source";
import { toAsciiLowerCase, toByteString } from "#policy-compiler/ruleset/byte-string";
import type { ByteString, JwtRule } from "#policy-compiler/ruleset/model";
import { plainAudience } from "./audience.ts";
import type { TokenProvider } from "./contract.ts";
import { keySourceOf } from "./key-source.ts";

/** A header in which a token may stand. */
export interface HeaderPlace {
  /** Lower case. */
  readonly name: ByteString;
  /** What stands before the token, anywhere in the line; `""`: the line is the token. */
  readonly prefix: ByteString;
  /** Equal for equal places. */
  readonly key: string;
}

/** A claim that is written into a header for the upstream. */
export interface ClaimOutput {
  /** Lower case. */
  readonly header: ByteString;
  /** Names from the payload's root inwards. */
  readonly path: readonly ByteString[];
}

const defaultHeaders: readonly HeaderPlace[] = [placeOf("authorization", "Bearer ")];
const defaultParameters: readonly ByteString[] = ["access_token"];
const alwaysDelimited: readonly ByteString[] = ["scope", "permission"];

/** A provider with everything that looking for tokens and accepting them needs, as byte strings. */
export class PreparedProvider implements TokenProvider {
  readonly name: string;
  readonly rule: JwtRule;
  readonly keySource: KeySource;
  readonly index: number;
  /** `""`: any. */
  readonly issuer: ByteString;
  /** Without scheme and slash; empty: any. */
  readonly audiences: ReadonlySet<ByteString>;
  /** ORDER: Envoy keeps places sorted by their text, each once, and looks through headers, parameters, cookies. Envoy: extractor.cc. */
  readonly headers: readonly HeaderPlace[];
  readonly parameters: readonly ByteString[];
  readonly cookies: readonly ByteString[];
  readonly payloadHeader: ByteString | undefined;
  readonly claimOutputs: readonly ClaimOutput[];
  /** Every header that this provider may set, each once. */
  readonly outputHeaders: readonly ByteString[];
  readonly spaceDelimitedClaims: readonly ByteString[];

  constructor(rule: JwtRule, index: number) {
    this.name = `origins-${index}`;
    this.rule = rule;
    this.index = index;
    this.keySource = keySourceOf(rule);
    this.issuer = toByteString(rule.issuer);
    this.audiences = new Set(rule.audiences.map((audience) => plainAudience(toByteString(audience))));
    const anywhere = rule.fromHeaders.length + rule.fromParams.length + rule.fromCookies.length === 0;
    this.headers = anywhere ? defaultHeaders : sortPlaces(rule.fromHeaders);
    this.parameters = anywhere ? defaultParameters : sortNames(rule.fromParams);
    this.cookies = sortNames(rule.fromCookies);
    this.payloadHeader = rule.outputPayloadToHeader === undefined ? undefined : headerName(rule.outputPayloadToHeader);
    this.claimOutputs = rule.outputClaimToHeaders.map(({ header, claim }) => ({
      header: headerName(header),
      path: toByteString(claim).split("."),
    }));
    const outputs = this.claimOutputs.map(({ header }) => header);
    this.outputHeaders = [...new Set(this.payloadHeader === undefined ? outputs : [this.payloadHeader, ...outputs])];
    this.spaceDelimitedClaims = [...new Set([...alwaysDelimited, ...rule.spaceDelimitedClaims.map(toByteString)])];
  }
}

/** The provider itself where `createPlan` made it, else one made of its rule: the contract lets anybody write a provider down. */
export function prepareProvider(provider: PreparedProvider | TokenProvider): PreparedProvider {
  return provider instanceof PreparedProvider ? provider : new PreparedProvider(provider.rule, provider.index);
}

/** Envoy files a place under name and prefix joined: of two with the same joined text the first one stands. */
function sortPlaces(places: JwtRule["fromHeaders"]): readonly HeaderPlace[] {
  const filed = new Map<ByteString, HeaderPlace>();
  for (const place of places) {
    const name = headerName(place.name);
    const prefix = toByteString(place.prefix);
    if (!filed.has(name + prefix)) filed.set(name + prefix, placeOf(name, prefix));
  }
  return [...filed].sort(([a], [b]) => compareBytes(a, b)).map(([, place]) => place);
}

function placeOf(name: ByteString, prefix: ByteString): HeaderPlace {
  return { name, prefix, key: JSON.stringify([name, prefix]) };
}

function sortNames(names: readonly string[]): readonly ByteString[] {
  return [...new Set(names.map(toByteString))].sort(compareBytes);
}

function headerName(name: string): ByteString {
  return toAsciiLowerCase(toByteString(name));
}

/** The order of byte strings, as `sort` wants it. */
export function compareBytes(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
