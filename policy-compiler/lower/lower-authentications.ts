import type {
  DocumentHead,
  JwtRuleDocument,
  PeerAuthentication,
  RequestAuthentication,
} from "#policy-compiler/document/model";
import { parsePort } from "#policy-compiler/document/values/port";
import { toByteString } from "#policy-compiler/ruleset/byte-string";
import { parseDuration } from "#policy-compiler/ruleset/duration";
import type {
  JwtRule,
  MtlsMode,
  PeerAuthenticationRule,
  RequestAuthenticationRule,
} from "#policy-compiler/ruleset/model";
import { lowerAttachment, selectorLabels } from "./attachment.ts";
import type { LowerContext } from "./context.ts";

/** PeerAuthentications, oldest first: of those on one level the first counts and the others do not. */
export function lowerPeerAuthentications(
  documents: readonly PeerAuthentication[],
  context: LowerContext,
): readonly PeerAuthenticationRule[] {
  return sortByAge(documents).map(({ head, selector, mode, portLevelMtls }) => {
    const ports = new Map<number, MtlsMode>();
    for (const entry of portLevelMtls?.ports ?? []) {
      const parsed = parsePort(entry.port.value);
      if (parsed.ok && !ports.has(parsed.port)) ports.set(parsed.port, entry.mode.value);
    }
    return {
      namespace: head.namespace.value,
      name: head.name.value,
      labels: selectorLabels(selector),
      mode: mode?.value ?? "UNSET",
      ports: [...ports].sort(([a], [b]) => a - b),
      origin: context.locate(head.file, head.span.start),
    };
  });
}

/** RequestAuthentications, oldest first, as Istio lists them before it sorts their rules by issuer. */
export function lowerRequestAuthentications(
  documents: readonly RequestAuthentication[],
  context: LowerContext,
): readonly RequestAuthenticationRule[] {
  return sortByAge(documents).map(({ head, placement, jwtRules }) => ({
    namespace: head.namespace.value,
    name: head.name.value,
    attachment: lowerAttachment(placement, head.namespace.value),
    jwtRules: jwtRules.map((rule) => lowerJwtRule(rule, head.file, context)),
    origin: context.locate(head.file, head.span.start),
  }));
}

function lowerJwtRule(rule: JwtRuleDocument, file: string, context: LowerContext): JwtRule {
  const timeout = rule.timeout === undefined ? undefined : parseDuration(rule.timeout.value);
  return {
    issuer: rule.issuer?.value ?? "",
    audiences: rule.audiences.map(({ value }) => value),
    jwksUri: present(rule.jwksUri?.value),
    jwks: present(rule.jwks?.value),
    fromHeaders: rule.fromHeaders.map(({ name, prefix }) => ({ name: name?.value ?? "", prefix: prefix?.value ?? "" })),
    fromParams: rule.fromParams.map(({ value }) => value),
    fromCookies: rule.fromCookies.map(({ value }) => value),
    forwardOriginalToken: rule.forwardOriginalToken,
    outputPayloadToHeader: present(rule.outputPayloadToHeader?.value),
    outputClaimToHeaders: rule.outputClaimToHeaders.map(({ header, claim }) => ({
      header: header?.value ?? "",
      claim: claim?.value ?? "",
    })),
    timeoutMillis: timeout?.ok && timeout.millis > 0 ? timeout.millis : undefined,
    spaceDelimitedClaims: rule.spaceDelimitedClaims.map(({ value }) => value),
    origin: context.locate(file, rule.span.start),
  };
}

/** An empty text is an absent one: protobuf strings do not tell them apart. */
function present(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** ORDER: creation time (unsaid first), then name, then namespace. */
function sortByAge<T extends { readonly head: DocumentHead }>(documents: readonly T[]): readonly T[] {
  const keyed = documents.map((document) => ({
    document,
    time: document.head.creationTimeMillis ?? Number.NEGATIVE_INFINITY,
    name: toByteString(document.head.name.value),
    namespace: toByteString(document.head.namespace.value),
  }));
  keyed.sort((a, b) => compare(a.time, b.time) || compare(a.name, b.name) || compare(a.namespace, b.namespace));
  return keyed.map(({ document }) => document);
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
