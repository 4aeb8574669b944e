import type { YamlNode } from "#policy-compiler/yaml/tree";
import { decodePlacement, placementOriginals } from "./decode-placement.ts";
import type { Decoding } from "./decoding.ts";
import type { ClaimToHeader, DocumentHead, JwtHeaderSource, JwtRuleDocument, RequestAuthentication } from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readBoolean, readList, readText, readTexts } from "./read-values.ts";

const specFields = fieldTable(["selector", "targetRef", "targetRefs", "jwtRules"], placementOriginals);
const jwtRuleFields = fieldTable([
  "issuer",
  "audiences",
  "jwksUri",
  "jwks",
  "fromHeaders",
  "fromParams",
  "fromCookies",
  "forwardOriginalToken",
  "outputPayloadToHeader",
  "outputClaimToHeaders",
  "timeout",
  "spaceDelimitedClaims",
]);
const headerFields = fieldTable(["name", "prefix"]);
const claimFields = fieldTable(["header", "claim"]);

/** Decodes the spec of a RequestAuthentication. */
export function decodeRequestAuthentication(
  decoding: Decoding,
  head: DocumentHead,
  spec: YamlNode,
): RequestAuthentication {
  const fields = readFields(decoding, spec, specFields, "a RequestAuthentication's `spec`") ?? new Map();
  return {
    type: "RequestAuthentication",
    head,
    placement: decodePlacement(decoding, fields),
    jwtRules: readList(decoding, fields.get("jwtRules"), "jwtRules", (item) => decodeJwtRule(decoding, item)),
  };
}

function decodeJwtRule(decoding: Decoding, node: YamlNode): JwtRuleDocument {
  const fields = readFields(decoding, node, jwtRuleFields, "an item of `jwtRules`") ?? new Map<never, never>();
  const text = (name: "issuer" | "jwksUri" | "jwks" | "outputPayloadToHeader") =>
    readText(decoding, fields.get(name), name);
  const texts = (name: "audiences" | "fromParams" | "fromCookies" | "spaceDelimitedClaims") =>
    readTexts(decoding, fields.get(name), name);
  return {
    span: node.span,
    issuer: text("issuer"),
    audiences: texts("audiences"),
    jwksUri: text("jwksUri"),
    jwks: text("jwks"),
    fromHeaders: readList(decoding, fields.get("fromHeaders"), "fromHeaders", (item) =>
      decodeHeaderSource(decoding, item),
    ),
    fromParams: texts("fromParams"),
    fromCookies: texts("fromCookies"),
    forwardOriginalToken: readBoolean(decoding, fields.get("forwardOriginalToken"), "forwardOriginalToken") ?? false,
    outputPayloadToHeader: text("outputPayloadToHeader"),
    outputClaimToHeaders: readList(decoding, fields.get("outputClaimToHeaders"), "outputClaimToHeaders", (item) =>
      decodeClaimToHeader(decoding, item),
    ),
    timeout: readText(decoding, fields.get("timeout"), "timeout", "a duration"),
    spaceDelimitedClaims: texts("spaceDelimitedClaims"),
  };
}

function decodeHeaderSource(decoding: Decoding, node: YamlNode): JwtHeaderSource {
  const fields = readFields(decoding, node, headerFields, "an item of `fromHeaders`");
  return {
    name: readText(decoding, fields?.get("name"), "name"),
    prefix: readText(decoding, fields?.get("prefix"), "prefix"),
    span: node.span,
  };
}

function decodeClaimToHeader(decoding: Decoding, node: YamlNode): ClaimToHeader {
  const fields = readFields(decoding, node, claimFields, "an item of `outputClaimToHeaders`");
  return {
    header: readText(decoding, fields?.get("header"), "header"),
    claim: readText(decoding, fields?.get("claim"), "claim"),
    span: node.span,
  };
}
