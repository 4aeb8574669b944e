import type { Attribute, FieldTest, RuleSet, ValueTest } from "./model.ts";
import { finish, listInSteps, type Steps } from "./steps.ts";
import { ByteReader, Malformed } from "./wire/byte-reader.ts";
import { ByteWriter } from "./wire/byte-writer.ts";
import { crc32 } from "./wire/checksum.ts";
import {
  meshShape,
  peerAuthenticationShape,
  providerShape,
  requestAuthenticationShape,
  serviceShape,
  workloadShape,
} from "./wire/document-shapes.ts";
import { ruleIndexShape } from "./wire/index-shapes.ts";
import { InternedTableWriter, readInternedTable } from "./wire/interned-table.ts";
import { registrationShape } from "./wire/registration-shapes.ts";
import { policyShape, ruleShape } from "./wire/rule-shapes.ts";
import { type Input, list, type Output, type Shape } from "./wire/shape.ts";
import { StringTable, StringTableWriter } from "./wire/string-table.ts";
import { attributeShape, fieldTestShape, valueTestShape } from "./wire/test-shapes.ts";

/** `garita` and the version of the format. A change of any shape is a new version; older ones are not read. */
const head = new Uint8Array([0x67, 0x61, 0x72, 0x69, 0x74, 0x61, 0x00, 0x05]);
const checksumSize = 4;

/**
 * A rule set as bytes: equal rule sets give equal bytes. Layout: the head, a CRC-32 of what follows, the tables of texts,
 * attributes, value tests and field tests (each value once), then mesh, policies, rules, the other documents and the indexes.
 * Throws on a rule set that breaks its own invariants, such as a byte string with a character beyond U+00FF.
 */
export function encodeRuleSet(ruleSet: RuleSet): Uint8Array {
  const strings = new StringTableWriter();
  const attributes = new InternedTableWriter<Attribute>(attributeShape, () => tables);
  const values = new InternedTableWriter<ValueTest>(valueTestShape, () => tables);
  const fields = new InternedTableWriter<FieldTest>(fieldTestShape, () => tables);
  const tables: Output["tables"] = { strings, attributes, values, fields };
  const content = new ByteWriter();
  writeContent({ bytes: content, tables }, ruleSet);

  const body = new ByteWriter();
  body.raw(strings.toBytes());
  for (const table of [attributes, values, fields]) table.writeTo(body);
  body.raw(content.toBytes());
  return framed(body.toBytes());
}

export type DecodedRuleSet =
  | { readonly ok: true; readonly ruleSet: RuleSet }
  | { readonly ok: false; readonly fault: string };

/**
 * The rule set that `encodeRuleSet` wrote. Total: bytes that are cut off, damaged or hostile give a fault, and no more memory
 * is taken than a small multiple of their length. Equal field tests and value tests are one object; `bytes` may be reused.
 * Not checked: the order of policies and rules, and that an index files each rule under a condition of its own. Bytes whose
 * digest nobody vouches for are not to be put in force.
 */
export function decodeRuleSet(bytes: Uint8Array): DecodedRuleSet {
  return finish(decodeRuleSetInSteps(bytes));
}

/** `decodeRuleSet` in steps of well under a millisecond each, for a thread that has requests to answer meanwhile. */
export function* decodeRuleSetInSteps(bytes: Uint8Array): Steps<DecodedRuleSet> {
  try {
    return { ok: true, ruleSet: yield* read(bytes) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, fault: error.message };
    throw error;
  }
}

/** The name of a rule set: the SHA-256 of its bytes in hex. `sha256` is the platform's. */
export function ruleSetDigest(bytes: Uint8Array, sha256: (bytes: Uint8Array) => Uint8Array): string {
  return Array.from(sha256(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function framed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + checksumSize + body.length);
  bytes.set(head);
  new DataView(bytes.buffer).setUint32(head.length, crc32(body));
  bytes.set(body, head.length + checksumSize);
  return bytes;
}

/** Bytes that are summed between two interruptions. */
const checksumRun = 256 * 1024;

function* unframed(bytes: Uint8Array): Steps<Uint8Array> {
  if (bytes.length < head.length + checksumSize) throw new Malformed("the bytes end too early");
  const magic = head.subarray(0, -1);
  if (magic.some((byte, i) => bytes[i] !== byte)) throw new Malformed("the bytes are no compiled rule set");
  const version = bytes[head.length - 1];
  if (version !== head.at(-1)) throw new Malformed(`format version ${head.at(-1)} expected, found ${version}`);
  const body = bytes.subarray(head.length + checksumSize);
  let sum = 0;
  for (let at = 0; at < body.length; at += checksumRun) {
    sum = crc32(body.subarray(at, at + checksumRun), sum);
    yield;
  }
  const written = new DataView(bytes.buffer, bytes.byteOffset).getUint32(head.length);
  if (written !== sum) throw new Malformed("the bytes are damaged: their checksum does not fit");
  return body;
}

function* read(bytes: Uint8Array): Steps<RuleSet> {
  const reader = new ByteReader(yield* unframed(bytes));
  const strings = yield* StringTable.read(reader);
  const empty: Input["tables"] = { strings, attributes: [], values: [], fields: [] };
  // ORDER: field tests refer to value tests and attributes, everything to texts.
  const attributes = yield* readInternedTable(attributeShape, { bytes: reader, tables: empty });
  const values = yield* readInternedTable(valueTestShape, { bytes: reader, tables: empty });
  const fields = yield* readInternedTable(fieldTestShape, { bytes: reader, tables: { ...empty, attributes, values } });
  const ruleSet = yield* readContent({ bytes: reader, tables: { ...empty, attributes, values, fields } });
  if (reader.remaining > 0) throw new Malformed("there are bytes behind the end");
  return ruleSet;
}

const lists = {
  policies: list(policyShape),
  peerAuthentications: list(peerAuthenticationShape),
  requestAuthentications: list(requestAuthenticationShape),
  workloads: list(workloadShape),
  services: list(serviceShape),
  providers: list(providerShape),
  registrations: list(registrationShape),
};

function writeContent(out: Output, ruleSet: RuleSet): void {
  meshShape.write(out, ruleSet.mesh);
  lists.policies.write(out, ruleSet.policies);
  list(ruleShape(ruleSet.policies)).write(out, ruleSet.rules);
  lists.peerAuthentications.write(out, ruleSet.peerAuthentications);
  lists.requestAuthentications.write(out, ruleSet.requestAuthentications);
  lists.workloads.write(out, ruleSet.workloads);
  lists.services.write(out, ruleSet.services);
  lists.providers.write(out, ruleSet.providers);
  lists.registrations.write(out, ruleSet.registrations);
  const index = ruleIndexShape(ruleSet.rules.length);
  index.write(out, ruleSet.index.http);
  index.write(out, ruleSet.index.tcp);
  index.write(out, ruleSet.index.customHttp);
  index.write(out, ruleSet.index.customTcp);
}

function* readContent(input: Input): Steps<RuleSet> {
  const rows = <T>(shape: Shape<T>) => listInSteps(input.bytes.count(), () => shape.read(input));
  const mesh = meshShape.read(input);
  const policies = yield* rows(policyShape);
  const rules = yield* rows(ruleShape(policies));
  const peerAuthentications = yield* rows(peerAuthenticationShape);
  const requestAuthentications = yield* rows(requestAuthenticationShape);
  const workloads = yield* rows(workloadShape);
  const services = yield* rows(serviceShape);
  const providers = yield* rows(providerShape);
  const registrations = yield* rows(registrationShape);
  const index = ruleIndexShape(rules.length);
  return {
    mesh,
    policies,
    rules,
    peerAuthentications,
    requestAuthentications,
    workloads,
    services,
    providers,
    registrations,
    index: {
      http: yield* index.readInSteps(input),
      tcp: yield* index.readInSteps(input),
      customHttp: yield* index.readInSteps(input),
      customTcp: yield* index.readInSteps(input),
    },
  };
}
