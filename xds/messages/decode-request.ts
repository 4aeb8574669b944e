import type { BinaryReader } from "@bufbuild/protobuf/wire";
import { discoveryLimits } from "../limits.ts";
import { eachField } from "./each-field.ts";

/** What a client said of a response that it rejects: google.rpc.Status, of which the message alone counts. Not cut. */
export interface ErrorDetail {
  readonly message: string;
}

interface AnyRequest {
  /** `node.id`; undefined: there is none. Never believed, not cut. */
  readonly node: string | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** Undefined: what the nonce names is accepted. */
  readonly error: ErrorDetail | undefined;
  /** There are more names than the limit: those beyond were left out. */
  readonly tooManyNames: boolean;
}

/** envoy.service.discovery.v3.DiscoveryRequest. Its version is not looked at: nonce and error tell what a client has. */
export interface StateRequest extends AnyRequest {
  readonly names: readonly string[];
}

/** envoy.service.discovery.v3.DeltaDiscoveryRequest. */
export interface DeltaRequest extends AnyRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly initialVersions: ReadonlyMap<string, string>;
}

/** Undefined: the bytes are no such message. Fields that do not count are passed over, whatever they hold; text that is no UTF-8 becomes text that nobody asks for. */
export function decodeStateRequest(bytes: Uint8Array): StateRequest | undefined {
  const read = new RequestParts();
  const whole = tryEachField(bytes, (field, reader) => {
    if (field === 2) read.node = nodeId(reader.bytes()) ?? read.node;
    else if (field === 3) read.addTo(read.names, text(reader));
    else if (field === 4) read.typeUrl = text(reader);
    else if (field === 5) read.nonce = text(reader);
    else if (field === 6) read.error = errorDetail(reader.bytes());
    else return false;
    return true;
  });
  return whole ? read : undefined;
}

/** As `decodeStateRequest`. */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest | undefined {
  const read = new DeltaParts();
  const whole = tryEachField(bytes, (field, reader) => {
    if (field === 1) read.node = nodeId(reader.bytes()) ?? read.node;
    else if (field === 2) read.typeUrl = text(reader);
    else if (field === 3) read.addTo(read.subscribe, text(reader));
    else if (field === 4) read.addTo(read.unsubscribe, text(reader));
    else if (field === 5) read.addVersion(reader.bytes());
    else if (field === 6) read.nonce = text(reader);
    else if (field === 7) read.error = errorDetail(reader.bytes());
    else return false;
    return true;
  });
  return whole ? read : undefined;
}

class RequestParts implements StateRequest {
  node: string | undefined;
  typeUrl = "";
  nonce = "";
  error: ErrorDetail | undefined;
  tooManyNames = false;
  readonly names: string[] = [];
  #named = 0;

  addTo(names: string[], name: string): void {
    if (this.counts()) names.push(name);
  }

  /** Is there room for another name? */
  counts(): boolean {
    if (++this.#named > discoveryLimits.names) this.tooManyNames = true;
    return !this.tooManyNames;
  }
}

class DeltaParts extends RequestParts implements DeltaRequest {
  readonly subscribe: string[] = [];
  readonly unsubscribe: string[] = [];
  readonly initialVersions = new Map<string, string>();

  addVersion(entry: Uint8Array): void {
    let [name, version] = ["", ""];
    eachField(entry, (field, reader) => {
      if (field === 1) name = text(reader);
      else if (field === 2) version = text(reader);
      else return false;
      return true;
    });
    if (this.counts()) this.initialVersions.set(name, version);
  }
}

/** As `eachField`; false: the bytes are no message. */
function tryEachField(bytes: Uint8Array, take: Parameters<typeof eachField>[1]): boolean {
  try {
    eachField(bytes, take);
    return true;
  } catch {
    // The library tells malformed bytes, of whatever kind, by throwing.
    return false;
  }
}

function nodeId(node: Uint8Array): string | undefined {
  let id: string | undefined;
  tryEachField(node, (field, reader) => {
    if (field !== 1) return false;
    id = text(reader);
    return true;
  });
  return id;
}

function errorDetail(status: Uint8Array): ErrorDetail {
  let message = "";
  tryEachField(status, (field, reader) => {
    if (field !== 2) return false;
    message = text(reader);
    return true;
  });
  return { message };
}

function text(reader: BinaryReader): string {
  const bytes = reader.bytes();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}
