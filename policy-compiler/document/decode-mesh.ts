import type { Located } from "#policy-compiler/source/diagnostic";
import type { YamlMapping, YamlNode } from "#policy-compiler/yaml/tree";
import { decodeExtensionProviders } from "./decode-extension-providers.ts";
import { type Decoding, excerpt } from "./decoding.ts";
import { meshFields, pathNormalizationFields, proxyFields, topologyFields } from "./mesh-fields.ts";
import type { MeshDocument, PathNormalization } from "./model.ts";
import { type FieldTable, readFields, reportUnknownField } from "./read-fields.ts";
import { readEnum, readText, readTexts, readUint32 } from "./read-values.ts";

/** Istio's defaults: what holds for a folder without `mesh.yaml`. */
export function defaultMesh(file: string): MeshDocument {
  return {
    type: "mesh",
    file,
    trustDomain: "cluster.local",
    trustDomainAliases: [],
    rootNamespace: "istio-system",
    pathNormalization: "BASE",
    numTrustedProxies: 0,
    extensionProviders: [],
    spans: new Map(),
  };
}

/**
 * Decodes `mesh.yaml`: Istio's MeshConfig, bare or as the one member `meshConfig`. Fields of Istio that have no effect here
 * get a note, fields that Istio does not have an error.
 */
export function decodeMesh(decoding: Decoding, documents: readonly YamlNode[]): MeshDocument {
  const defaults = defaultMesh(decoding.file);
  const [root, second] = documents;
  if (second !== undefined) {
    decoding.refuse("mesh/shape", second.span, "expected one document in `mesh.yaml`, found another");
  }
  const config = root && unwrap(decoding, root);
  if (config === undefined) return defaults;
  const fields = readKnownFields(decoding, config, meshFields, "MeshConfig", usedMeshFields);
  const trustDomain = readText(decoding, fields?.get("trustDomain"), "trustDomain");
  const trustDomainAliases = readTexts(decoding, fields?.get("trustDomainAliases"), "trustDomainAliases");
  const rootNamespace = readText(decoding, fields?.get("rootNamespace"), "rootNamespace");
  checkNames(decoding, trustDomain, trustDomainAliases, rootNamespace);
  return {
    ...defaults,
    trustDomain: trustDomain?.value ?? defaults.trustDomain,
    trustDomainAliases: trustDomainAliases.map((alias) => alias.value),
    rootNamespace: rootNamespace?.value ?? defaults.rootNamespace,
    pathNormalization: readPathNormalization(decoding, fields?.get("pathNormalization")),
    numTrustedProxies: readTrustedProxies(decoding, fields?.get("defaultConfig")),
    extensionProviders: decodeExtensionProviders(decoding, fields?.get("extensionProviders")),
    spans: new Map([...(fields ?? [])].map(([name, { span }]) => [name, span])),
  };
}

const usedMeshFields: ReadonlySet<string> = new Set([
  "trustDomain",
  "trustDomainAliases",
  "rootNamespace",
  "pathNormalization",
  "defaultConfig",
  "extensionProviders",
]);
const usedProxyFields: ReadonlySet<string> = new Set(["gatewayTopology"]);
const usedTopologyFields: ReadonlySet<string> = new Set(["numTrustedProxies"]);

/** The MeshConfig itself: without the outer `meshConfig`, and not an object of Kubernetes that holds one. */
function unwrap(decoding: Decoding, root: YamlNode): YamlMapping | undefined {
  if (root.kind !== "mapping") {
    decoding.refuseType("`mesh.yaml`", "an object", root);
    return undefined;
  }
  const head = root.entries.find(({ key }) => key.text === "apiVersion" || key.text === "kind");
  if (head !== undefined) {
    const message = `expected a bare MeshConfig in \`mesh.yaml\`, found an object with \`${head.key.text}\``;
    decoding.refuse("mesh/shape", head.key.span, message, "keep only what stands in its `meshConfig`");
    return undefined;
  }
  const outer = root.entries.find(({ key }) => key.text === "meshConfig");
  if (outer === undefined) return root;
  for (const { key } of root.entries) {
    if (key !== outer.key) reportUnknownField(decoding, key, ["meshConfig"], "`mesh.yaml`");
  }
  if (outer.value.kind === "mapping") return outer.value;
  if (outer.value.kind !== "scalar" || outer.value.value !== null) {
    decoding.refuseType("`meshConfig`", "an object", outer.value);
  }
  return undefined;
}

/** `readFields`, with a note for each field that is known and not used. */
function readKnownFields<Name extends string>(
  decoding: Decoding,
  node: YamlNode,
  table: FieldTable<Name>,
  what: string,
  used: ReadonlySet<string>,
): ReadonlyMap<Name, YamlNode> | undefined {
  if (node.kind === "mapping") {
    for (const { key } of node.entries) {
      const name = table.bySpelling.get(key.text);
      if (name === undefined || used.has(name)) continue;
      decoding.report("mesh/unused-field", key.span, `passed over \`${key.text}\` of ${what}: it has no effect here`);
    }
  }
  return readFields(decoding, node, table, what);
}

const normalizations = ["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] as const;

function readPathNormalization(decoding: Decoding, node: YamlNode | undefined): PathNormalization {
  const fields = node && readFields(decoding, node, pathNormalizationFields, "`pathNormalization`");
  const read = readEnum(decoding, fields?.get("normalization"), "pathNormalization.normalization", normalizations);
  return read === undefined || read.value === "DEFAULT" ? "BASE" : read.value;
}

function readTrustedProxies(decoding: Decoding, node: YamlNode | undefined): number {
  const proxy = node && readKnownFields(decoding, node, proxyFields, "`defaultConfig`", usedProxyFields);
  const topology = proxy?.get("gatewayTopology");
  const fields =
    topology && readKnownFields(decoding, topology, topologyFields, "`gatewayTopology`", usedTopologyFields);
  return readUint32(decoding, fields?.get("numTrustedProxies"), "numTrustedProxies")?.value ?? 0;
}

const trustDomainText = /^[A-Za-z0-9._-]+$/;
const namespaceText = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

function checkNames(
  decoding: Decoding,
  trustDomain: Located<string> | undefined,
  aliases: readonly Located<string>[],
  rootNamespace: Located<string> | undefined,
): void {
  for (const { value, span } of trustDomain === undefined ? aliases : [trustDomain, ...aliases]) {
    if (trustDomainText.test(value)) continue;
    decoding.report("mesh/value", span, `expected the name of a trust domain, found \`${excerpt(value)}\``);
  }
  if (rootNamespace !== undefined && !namespaceText.test(rootNamespace.value)) {
    const message = `expected the name of a namespace for \`rootNamespace\`, found \`${excerpt(rootNamespace.value)}\``;
    decoding.report("mesh/value", rootNamespace.span, message);
  }
}
