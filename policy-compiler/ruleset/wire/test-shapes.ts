import type { Attribute, FieldTest, TextTest, ValueTest } from "#policy-compiler/ruleset/model";
import { Malformed } from "./byte-reader.ts";
import {
  below,
  boolean,
  byteString,
  type Input,
  interned,
  list,
  type Output,
  port,
  record,
  type Shape,
  text,
  union,
  word,
} from "./shape.ts";

const nothing = record<Record<never, never>>({});

export const attributeShape: Shape<Attribute> = union<Attribute, "kind">("kind", {
  host: nothing,
  method: nothing,
  path: nothing,
  port: nothing,
  peerAddress: nothing,
  remoteAddress: nothing,
  destinationAddress: nothing,
  identity: nothing,
  requestPrincipal: nothing,
  header: record({ name: byteString }),
  claim: record({ path: list(byteString) }),
  sni: nothing,
  metadata: record({ namespace: byteString, key: byteString }),
});

const textOps = ["exact", "prefix", "suffix", "present"] as const;
const textOp = word<TextTest["op"]>(textOps);

const textTestShape: Shape<TextTest> = {
  write(out, value) {
    textOp.write(out, value.op);
    if (value.op !== "present") byteString.write(out, value.text);
  },
  read(input) {
    const op = textOp.read(input);
    return op === "present" ? { op } : { op, text: byteString.read(input) };
  },
};

const pieces = list(byteString);
const globs = list(word<"*" | "**">(["*", "**"]));
const octet = below(256, "a byte");
const octets = list(octet);
const trustDomainOp = word<"exact" | "star" | "any">(["exact", "star", "any"]);

const valueKinds = [
  "text",
  "template",
  "port",
  "cidr",
  "principal",
  "namespace",
  "serviceAccount",
  "trustDomain",
  "requestPrincipal",
  "metadata",
] as const satisfies readonly ValueTest["kind"][];
const valueKind = word<ValueTest["kind"]>(valueKinds);

/** PERF: written out, unlike the rarer types: a large rule set holds hundreds of thousands of these. */
export const valueTestShape: Shape<ValueTest> = { write: writeValueTest, read: readValueTest };

function writeValueTest(out: Output, value: ValueTest): void {
  valueKind.write(out, value.kind);
  switch (value.kind) {
    case "text":
    case "principal":
      textTestShape.write(out, value.test);
      break;
    case "template":
      pieces.write(out, value.pieces);
      globs.write(out, value.globs);
      break;
    case "port":
      port.write(out, value.port);
      break;
    case "cidr":
      cidrShape.write(out, value);
      break;
    case "namespace":
      pieces.write(out, value.pieces);
      break;
    case "serviceAccount":
      byteString.write(out, value.namespace);
      byteString.write(out, value.name);
      break;
    case "trustDomain":
      trustDomainOp.write(out, value.op);
      if (value.op === "exact") byteString.write(out, value.text);
      if (value.op === "star") {
        byteString.write(out, value.before);
        byteString.write(out, value.after);
      }
      break;
    case "requestPrincipal":
      textTestShape.write(out, value.iss);
      textTestShape.write(out, value.sub);
      break;
    case "metadata":
      boolean.write(out, value.list);
      textTestShape.write(out, value.test);
      break;
  }
}

function readValueTest(input: Input): ValueTest {
  const kind = valueKind.read(input);
  switch (kind) {
    case "text":
    case "principal":
      return { kind, test: textTestShape.read(input) };
    case "template":
      return readTemplate(input);
    case "port":
      return { kind, port: port.read(input) };
    case "cidr": {
      const { bytes, prefixLength } = cidrShape.read(input);
      return { kind, bytes, prefixLength };
    }
    case "namespace":
      return { kind, pieces: pieces.read(input) };
    case "serviceAccount":
      return { kind, namespace: byteString.read(input), name: byteString.read(input) };
    case "trustDomain": {
      const op = trustDomainOp.read(input);
      if (op === "exact") return { kind, op, text: byteString.read(input) };
      if (op === "star") return { kind, op, before: byteString.read(input), after: byteString.read(input) };
      return { kind, op };
    }
    case "requestPrincipal":
      return { kind, iss: textTestShape.read(input), sub: textTestShape.read(input) };
    case "metadata":
      return { kind, list: boolean.read(input), test: textTestShape.read(input) };
  }
}

function readTemplate(input: Input): ValueTest {
  const template = { kind: "template" as const, pieces: pieces.read(input), globs: globs.read(input) };
  if (template.pieces.length !== template.globs.length + 1) throw new Malformed("a template lacks a piece");
  return template;
}

interface Block {
  readonly bytes: readonly number[];
  readonly prefixLength: number;
}

/** An address block: four or sixteen bytes of which those beyond the prefix are zero. */
export const cidrShape: Shape<Block> = {
  write(out, value) {
    octets.write(out, value.bytes);
    out.bytes.uint(value.prefixLength);
  },
  read(input) {
    const bytes = octets.read(input);
    if (bytes.length !== 4 && bytes.length !== 16) throw new Malformed("an address has neither 4 nor 16 bytes");
    const prefixLength = input.bytes.below(bytes.length * 8 + 1, "a prefix length");
    for (let bit = prefixLength; bit < bytes.length * 8; bit++) {
      if ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1) throw new Malformed("an address block has bits beyond its prefix");
    }
    return { bytes, prefixLength };
  },
};

const attribute = interned("attributes");
const valueTests = list(interned("values"));
const texts = list(text);

export const fieldTestShape: Shape<FieldTest> = {
  write(out, value) {
    text.write(out, value.field);
    attribute.write(out, value.attribute);
    valueTests.write(out, value.values);
    valueTests.write(out, value.notValues);
    texts.write(out, value.texts);
    texts.write(out, value.notTexts);
  },
  read: (input) => ({
    field: text.read(input),
    attribute: attribute.read(input),
    values: valueTests.read(input),
    notValues: valueTests.read(input),
    texts: texts.read(input),
    notTexts: texts.read(input),
  }),
};
