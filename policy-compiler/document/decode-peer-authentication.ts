import type { Located } from "#policy-compiler/source/diagnostic";
import type { YamlNode } from "#policy-compiler/yaml/tree";
import { decodeSelector } from "./decode-placement.ts";
import type { Decoding } from "./decoding.ts";
import type { DocumentHead, MtlsMode, PeerAuthentication } from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readEnum, readMap } from "./read-values.ts";

const specFields = fieldTable(["selector", "mtls", "portLevelMtls"]);
const mtlsFields = fieldTable(["mode"]);

/** By number, as in Istio's enumeration. */
const modes: readonly MtlsMode[] = ["UNSET", "DISABLE", "PERMISSIVE", "STRICT"];

/** Decodes the spec of a PeerAuthentication. Port keys are kept as text; whether they are ports is for validation. */
export function decodePeerAuthentication(decoding: Decoding, head: DocumentHead, spec: YamlNode): PeerAuthentication {
  const fields = readFields(decoding, spec, specFields, "a PeerAuthentication's `spec`");
  const mtls = fields?.get("mtls");
  return {
    type: "PeerAuthentication",
    head,
    selector: decodeSelector(decoding, fields?.get("selector")),
    mode: mtls && decodeMode(decoding, mtls, "mtls"),
    portLevelMtls: decodePorts(decoding, fields?.get("portLevelMtls")),
  };
}

function decodePorts(decoding: Decoding, node: YamlNode | undefined): PeerAuthentication["portLevelMtls"] {
  if (node === undefined) return undefined;
  const entries = readMap(decoding, node, "portLevelMtls", (value, key): Located<MtlsMode> => {
    checkPortKey(decoding, key);
    return decodeMode(decoding, value, `portLevelMtls.${key.value}`) ?? { value: "UNSET", span: value.span };
  });
  return { span: node.span, ports: entries.map(({ key, value }) => ({ port: key, mode: value })) };
}

const decimal = /^(?:0|[1-9][0-9]{0,9})$/;

/**
 * Keys of a map of uint32 are decimal text.
 *
 * DIVERGENCE: Istio takes blanks around the digits, so that one port can stand there twice. They are refused.
 */
function checkPortKey(decoding: Decoding, key: Located<string>): void {
  if (decimal.test(key.value) && Number(key.value) <= 4_294_967_295) return;
  const message = `expected a port number as key of \`portLevelMtls\`, found \`${key.value}\``;
  decoding.refuse("document/wrong-type", key.span, message);
}

function decodeMode(decoding: Decoding, node: YamlNode, field: string): Located<MtlsMode> | undefined {
  const fields = readFields(decoding, node, mtlsFields, `\`${field}\``);
  return readEnum(decoding, fields?.get("mode"), `${field}.mode`, modes);
}
