import { serviceResolutions } from "#policy-compiler/ruleset/model";
import type { YamlNode } from "#policy-compiler/yaml/tree";
import type { Decoding } from "./decoding.ts";
import type { DocumentHead, ServiceDocument, WorkloadDocument } from "./model.ts";
import { fieldTable, readFields } from "./read-fields.ts";
import { readEnum, readList, readMap, readText, readTextMap, readTexts, readUint32 } from "./read-values.ts";

const workloadFields = fieldTable(["address", "ports", "labels", "network", "locality", "weight", "serviceAccount"]);
const serviceFields = fieldTable([
  "hosts",
  "addresses",
  "ports",
  "location",
  "resolution",
  "endpoints",
  "workloadSelector",
  "exportTo",
  "subjectAltNames",
]);
const portFields = fieldTable(["number", "protocol", "name", "targetPort"]);
const workloadSelectorFields = fieldTable(["labels"]);

/** By number, as in Istio's enumerations. */
const locations = ["MESH_EXTERNAL", "MESH_INTERNAL"] as const;

/** Decodes the spec of a WorkloadEntry. */
export function decodeWorkloadEntry(decoding: Decoding, head: DocumentHead, spec: YamlNode): WorkloadDocument {
  return { type: "WorkloadEntry", head, ...decodeWorkload(decoding, spec, "a WorkloadEntry's `spec`") };
}

/** Decodes the spec of a ServiceEntry with its inline endpoints. */
export function decodeServiceEntry(decoding: Decoding, head: DocumentHead, spec: YamlNode): ServiceDocument {
  const fields = readFields(decoding, spec, serviceFields, "a ServiceEntry's `spec`");
  readTexts(decoding, fields?.get("addresses"), "addresses");
  readTexts(decoding, fields?.get("exportTo"), "exportTo");
  readTexts(decoding, fields?.get("subjectAltNames"), "subjectAltNames");
  return {
    type: "ServiceEntry",
    head,
    hosts: readTexts(decoding, fields?.get("hosts"), "hosts"),
    ports: readList(decoding, fields?.get("ports"), "ports", (item) => decodePort(decoding, item)),
    endpoints: readList(decoding, fields?.get("endpoints"), "endpoints", (item) =>
      decodeWorkload(decoding, item, "an item of `endpoints`"),
    ),
    workloadSelector: decodeWorkloadSelector(decoding, fields?.get("workloadSelector")),
    location: readEnum(decoding, fields?.get("location"), "location", locations)?.value,
    resolution: readEnum(decoding, fields?.get("resolution"), "resolution", serviceResolutions)?.value,
  };
}

function decodeWorkload(decoding: Decoding, node: YamlNode, what: string): Omit<WorkloadDocument, "type" | "head"> {
  const fields = readFields(decoding, node, workloadFields, what);
  readText(decoding, fields?.get("network"), "network");
  readText(decoding, fields?.get("locality"), "locality");
  readUint32(decoding, fields?.get("weight"), "weight");
  const ports = readMap(decoding, fields?.get("ports"), "ports", (value, key) =>
    readUint32(decoding, value, `ports.${key.value}`),
  );
  return {
    address: readText(decoding, fields?.get("address"), "address"),
    labels: labelsOf(decoding, fields?.get("labels")),
    serviceAccount: readText(decoding, fields?.get("serviceAccount"), "serviceAccount"),
    ports: new Map(ports.map(({ key, value }) => [key.value, value.value])),
  };
}

function labelsOf(decoding: Decoding, node: YamlNode | undefined): ReadonlyMap<string, string> {
  return new Map(readTextMap(decoding, node, "labels").map(({ key, value }) => [key.value, value.value]));
}

function decodePort(decoding: Decoding, node: YamlNode): ServiceDocument["ports"][number] {
  const fields = readFields(decoding, node, portFields, "an item of `ports`");
  const targetPort = readUint32(decoding, fields?.get("targetPort"), "targetPort")?.value;
  return {
    number: readUint32(decoding, fields?.get("number"), "number")?.value ?? 0,
    // Zero is the absent port of protobuf.
    targetPort: targetPort === 0 ? undefined : targetPort,
    name: readText(decoding, fields?.get("name"), "name")?.value ?? "",
    protocol: readText(decoding, fields?.get("protocol"), "protocol")?.value ?? "",
  };
}

function decodeWorkloadSelector(
  decoding: Decoding,
  node: YamlNode | undefined,
): ReadonlyMap<string, string> | undefined {
  if (node === undefined) return undefined;
  const fields = readFields(decoding, node, workloadSelectorFields, "`workloadSelector`");
  return labelsOf(decoding, fields?.get("labels"));
}
