import { readFileSync } from "node:fs";
import { clone, create, createFileRegistry, type DescMessage, fromBinary, isFieldSet } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  FeatureSet_Utf8Validation,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

const SET = new URL("../../../platform/envoy-api/envoy.binpb", import.meta.url);

/** The fields of Envoy's messages that the lean decoder reads; `undefined`: all of them. */
const READ_FIELDS: { readonly [message: string]: readonly string[] | undefined } = {
  "envoy.service.auth.v3.CheckRequest": ["attributes"],
  "envoy.service.auth.v3.AttributeContext": [
    "source",
    "destination",
    "request",
    "context_extensions",
    "metadata_context",
    "tls_session",
  ],
  "envoy.service.auth.v3.AttributeContext.Peer": ["address", "service", "labels", "principal", "certificate"],
  "envoy.service.auth.v3.AttributeContext.Request": ["http"],
  "envoy.service.auth.v3.AttributeContext.HttpRequest": [
    "method",
    "headers",
    "path",
    "host",
    "scheme",
    "protocol",
    "body",
    "raw_body",
    "header_map",
  ],
  "envoy.service.auth.v3.AttributeContext.TLSSession": ["sni"],
  "envoy.config.core.v3.Address": undefined,
  "envoy.config.core.v3.SocketAddress": ["address", "port_value", "named_port"],
  "envoy.config.core.v3.Pipe": [],
  "envoy.config.core.v3.EnvoyInternalAddress": [],
  "envoy.config.core.v3.HeaderMap": undefined,
  "envoy.config.core.v3.HeaderValue": undefined,
  "envoy.config.core.v3.Metadata": ["filter_metadata"],
  "google.protobuf.Struct": undefined,
  "google.protobuf.Value": undefined,
  "google.protobuf.ListValue": undefined,
};

/**
 * `CheckRequest` as Envoy defines it, cut down to the fields that the lean decoder reads, with texts that need not be UTF-8: what
 * protobuf-es makes of any bytes with this schema is what the lean decoder must make of them.
 */
export function narrowCheckRequestSchema(): DescMessage {
  const messages = Object.entries(READ_FIELDS).map(([name, fields]) => narrowed(findMessage(name), name, fields));
  const file = create(FileDescriptorProtoSchema, {
    name: "narrow.proto",
    package: "narrow",
    syntax: "proto3",
    messageType: messages,
    options: { features: { utf8Validation: FeatureSet_Utf8Validation.NONE } },
  });
  const message = createFileRegistry(file, () => undefined).getMessage(
    `narrow.${flatName("envoy.service.auth.v3.CheckRequest")}`,
  );
  if (message === undefined) throw new Error("the narrow schema has no CheckRequest");
  return message;
}

const files = fromBinary(FileDescriptorSetSchema, readFileSync(SET)).file;

function findMessage(fullName: string): DescriptorProto {
  for (const file of files) {
    if (!fullName.startsWith(`${file.package}.`)) continue;
    let level = file.messageType;
    let found: DescriptorProto | undefined;
    for (const name of fullName.slice(file.package.length + 1).split(".")) {
      found = level.find((message) => message.name === name);
      level = found?.nestedType ?? [];
    }
    if (found !== undefined) return found;
  }
  throw new Error(`Envoy's API has no message ${fullName}`);
}

/** protobuf-es gives `google.protobuf.Struct` a form of its own; under another name it is a message like any other. */
function flatName(fullName: string): string {
  return fullName.replaceAll(".", "_");
}

function narrowed(message: DescriptorProto, fullName: string, fields: readonly string[] | undefined): DescriptorProto {
  const copy = clone(DescriptorProtoSchema, message);
  copy.name = flatName(fullName);
  copy.options = undefined;
  copy.field = copy.field.filter(({ name }) => fields === undefined || fields.includes(name));
  copy.nestedType = copy.nestedType.filter(
    ({ name, options }) => options?.mapEntry && copy.field.some((field) => field.typeName === `.${fullName}.${name}`),
  );
  if (!copy.field.some((field) => isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex))) copy.oneofDecl = [];
  for (const field of [...copy.field, ...copy.nestedType.flatMap((entry) => entry.field)]) {
    field.options = undefined;
    if (field.type === FieldDescriptorProto_Type.ENUM) {
      field.type = FieldDescriptorProto_Type.INT32;
      field.typeName = "";
    }
    if (field.typeName !== "") field.typeName = flatReference(field.typeName.slice(1), fullName);
  }
  return copy;
}

function flatReference(typeName: string, owner: string): string {
  if (typeName.startsWith(`${owner}.`) && typeName.endsWith("Entry")) {
    return `.narrow.${flatName(owner)}${typeName.slice(owner.length)}`;
  }
  return `.narrow.${flatName(typeName)}`;
}
