import type { Located } from "#policy-compiler/source/diagnostic";
import type { YamlEntry, YamlNode } from "#policy-compiler/yaml/tree";
import type { Decoding } from "./decoding.ts";
import type {
  DocumentHead,
  RegistrationCallerDocument,
  RegistrationClaimDocument,
  WorkloadRegistrationDocument,
} from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readList, readMap, readText, readTexts } from "./read-values.ts";

/** Our fields have one spelling. */
const specFields = fieldTable(["spiffeId", "callers", "dnsNames", "keyKinds", "ttl"], {
  spiffeId: "spiffeId",
  dnsNames: "dnsNames",
  keyKinds: "keyKinds",
});
const callerFields = fieldTable(["spiffeId", "jwt", "joinToken"], { spiffeId: "spiffeId", joinToken: "joinToken" });
const jwtFields = fieldTable(["issuer", "claims"]);
const joinTokenFields = fieldTable([]);
const ttlFields = fieldTable(["default", "max"]);

/**
 * Decodes the spec of a WorkloadRegistration. A field that narrows and has no value is there all the same, with nothing in it: it must not be lost as one
 * that was never written.
 */
export function decodeWorkloadRegistration(
  decoding: Decoding,
  head: DocumentHead,
  spec: YamlNode,
): WorkloadRegistrationDocument {
  const fields = readFields(decoding, spec, specFields, "a WorkloadRegistration's `spec`");
  const texts = (name: "dnsNames" | "keyKinds") => {
    const entry = written(spec, name);
    return entry && { span: entry.key.span, values: readTexts(decoding, entry.value, name) };
  };
  return {
    type: "WorkloadRegistration",
    head,
    spiffeId: readText(decoding, fields?.get("spiffeId"), "spiffeId"),
    callers: readList(decoding, fields?.get("callers"), "callers", (item) => decodeCaller(decoding, item)),
    dnsNames: texts("dnsNames"),
    keyKinds: texts("keyKinds"),
    ttl: decodeTtl(decoding, written(spec, "ttl")),
  };
}

function decodeCaller(decoding: Decoding, node: YamlNode): RegistrationCallerDocument {
  const fields = readFields(decoding, node, callerFields, "an item of `callers`");
  const jwt = fields?.get("jwt");
  const joinToken = fields?.get("joinToken");
  if (joinToken !== undefined) readFields(decoding, joinToken, joinTokenFields, "`joinToken`");
  return {
    span: node.span,
    spiffeId: readText(decoding, fields?.get("spiffeId"), "spiffeId"),
    jwt: jwt && decodeJwt(decoding, jwt),
    joinToken: joinToken && { span: joinToken.span },
  };
}

function decodeJwt(decoding: Decoding, node: YamlNode): NonNullable<RegistrationCallerDocument["jwt"]> {
  const fields = readFields(decoding, node, jwtFields, "`jwt`");
  const claims = written(node, "claims");
  return {
    span: node.span,
    issuer: readText(decoding, fields?.get("issuer"), "issuer"),
    claims: claims && {
      span: claims.key.span,
      items: readMap(decoding, claims.value, "claims", (value, path) => decodeClaim(decoding, value, path)).map(
        ({ value }) => value,
      ),
    },
  };
}

/** A text, or a list of texts any of which will do. */
function decodeClaim(decoding: Decoding, node: YamlNode, path: Located<string>): RegistrationClaimDocument {
  const field = `claims.${path.value}`;
  if (node.kind === "sequence") return { path, values: readTexts(decoding, node, field) };
  const text = readText(decoding, node, field);
  return { path, values: text === undefined ? [] : [text] };
}

function decodeTtl(decoding: Decoding, entry: YamlEntry | undefined): WorkloadRegistrationDocument["ttl"] {
  if (entry === undefined) return undefined;
  const fields = readFields(decoding, entry.value, ttlFields, "`ttl`");
  const duration = (name: "default" | "max") => readText(decoding, fields?.get(name), `ttl.${name}`, "a duration");
  return { span: entry.key.span, default: duration("default"), max: duration("max") };
}

/** A field that stands there, null or not. */
function written(node: YamlNode, name: string): YamlEntry | undefined {
  return node.kind === "mapping" ? node.entries.find(({ key }) => key.text === name) : undefined;
}
