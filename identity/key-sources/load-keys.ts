import type { VerificationKey } from "#identity/key-set/key-set";
import type { KeySource } from "#identity/key-set/key-source";
import { readKeySet } from "#identity/key-set/read-key-set";
import { discoveryUri, readDiscovery } from "./discovery.ts";
import { type KeySourceFault, keySourceFault } from "./faults.ts";
import type { SharedFetch } from "./shared-fetch.ts";

/** Istio's default for the time that a document may take. */
const defaultTimeoutMillis = 5_000;
/** A policy may say more; a fetch that takes longer than this only keeps its place from others. */
export const maxTimeoutMillis = 60_000;
/** A token that names no key is tried with all of them, so that their number is a cost of every such token. */
export const maxKeys = 256;

export type KeysRead =
  | { readonly kind: "keys"; readonly keys: readonly VerificationKey[] }
  /** A document is there, and of no use. */
  | { readonly kind: "unusable"; readonly fault: KeySourceFault };

export type KeysLoaded =
  | (KeysRead & { readonly kind: "keys"; readonly maxAgeSeconds: number | undefined })
  | (KeysRead & { readonly kind: "unusable" })
  /** There is no document. */
  | { readonly kind: "failed"; readonly fault: KeySourceFault };

/** Reads the keys of a document. */
export function readKeys(text: string): KeysRead {
  const read = readKeySet(text);
  if (!read.ok) return { kind: "unusable", fault: keySourceFault("keys/unusable", `the key set: found ${read.fault}`) };
  if (read.keys.length <= maxKeys) return { kind: "keys", keys: read.keys };
  const message = `the key set: expected at most ${maxKeys} keys, found ${read.keys.length}`;
  return { kind: "unusable", fault: keySourceFault("keys/too-many", message) };
}

/** Fetches the keys of a source: one document, or two where the first has to say where the second is. */
export async function loadKeys(
  source: Exclude<KeySource, { readonly kind: "inline" }>,
  fetcher: SharedFetch,
): Promise<KeysLoaded> {
  const timeoutMillis = Math.min(source.timeoutMillis ?? defaultTimeoutMillis, maxTimeoutMillis);
  let uri: string;
  if (source.kind === "uri") uri = source.uri;
  else {
    const discovery = await fetcher.fetch(discoveryUri(source.issuer), timeoutMillis);
    if (!discovery.ok) return { kind: "failed", fault: about("the discovery document", discovery.fault) };
    const read = readDiscovery(discovery.text);
    if (!read.ok) {
      return { kind: "failed", fault: keySourceFault("keys/discovery", `the discovery document: found ${read.fault}`) };
    }
    uri = read.jwksUri;
  }
  const document = await fetcher.fetch(uri, timeoutMillis);
  if (!document.ok) return { kind: "failed", fault: about("the key set", document.fault) };
  const keys = readKeys(document.text);
  return keys.kind === "keys" ? { ...keys, maxAgeSeconds: document.maxAgeSeconds } : keys;
}

function about(what: string, { code, message }: KeySourceFault): KeySourceFault {
  return { code, message: `${what}: ${message}` };
}
