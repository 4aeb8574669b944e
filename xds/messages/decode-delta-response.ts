import type { DeltaUpdate, Resource } from "../contract.ts";
import { eachField } from "./each-field.ts";

export interface DeltaResponse extends DeltaUpdate {
  readonly nonce: string;
  /** Type URLs of the response and its resources, each once. */
  readonly typeUrls: ReadonlySet<string>;
}

/** Reads an envoy.service.discovery.v3.DeltaDiscoveryResponse; undefined: the bytes are none. Bodies are copies. */
export function decodeDeltaResponse(bytes: Uint8Array): DeltaResponse | undefined {
  const resources: Resource[] = [];
  const removed: string[] = [];
  const typeUrls = new Set<string>();
  let nonce = "";
  try {
    eachField(bytes, (field, reader) => {
      if (field === 2) resources.push(readResource(reader.bytes(), typeUrls));
      else if (field === 4) typeUrls.add(reader.string());
      else if (field === 5) nonce = reader.string();
      else if (field === 6) removed.push(reader.string());
      else return false;
      return true;
    });
  } catch {
    // The library tells malformed bytes, of whatever kind, by throwing.
    return undefined;
  }
  return { resources, removed, nonce, typeUrls };
}

function readResource(bytes: Uint8Array, typeUrls: Set<string>): Resource {
  let [name, version] = ["", ""];
  let body = new Uint8Array();
  eachField(bytes, (field, reader) => {
    if (field === 1) version = reader.string();
    else if (field === 2) body = readAny(reader.bytes(), typeUrls, body);
    else if (field === 3) name = reader.string();
    else return false;
    return true;
  });
  return { name, version, body };
}

/** A message that stands twice is merged (protobuf.dev, "Last One Wins"): `before` is the body of the first, which stays where the second has none. */
function readAny(bytes: Uint8Array, typeUrls: Set<string>, before: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let body = before;
  eachField(bytes, (field, reader) => {
    if (field === 1) typeUrls.add(reader.string());
    else if (field === 2) body = new Uint8Array(reader.bytes());
    else return false;
    return true;
  });
  return body;
}
