import { type EachKey, readEachKey } from "#identity/key-set/read-each-key";
import { readKeySet } from "#identity/key-set/read-key-set";
import type { FetchDocument } from "#identity/key-sources/contract";
import { discoveryUri, readDiscovery } from "#identity/key-sources/discovery";
import { keySourceFault } from "#identity/key-sources/faults";
import { withoutCredentials } from "#identity/key-sources/shown";

/** What a text is meant to be. `auto`: what turns out to be there. */
export type Meant = "auto" | "uri" | "issuer";

export interface FetchedKeys {
  /** Where the discovery document is, if there is one. */
  readonly discovery: string | undefined;
  /** Where the keys are, as far as that is known. */
  readonly uri: string | undefined;
  readonly maxAgeSeconds: number | undefined;
  /** Every key of the document, usable or not. */
  readonly keys: readonly EachKey[];
  /** Things to look at that keep no token from being verified. */
  readonly notes: readonly string[];
  /** Why there is no usable key. */
  readonly fault: { readonly code: string; readonly message: string } | undefined;
}

/** Longer than a service would wait: somebody sits there and looks. */
const timeoutMillis = 15_000;

/** Fetches the keys of an issuer, or of a URI, as a service would, and tells every key of the document. */
export async function fetchKeys(text: string, meant: Meant, fetchDocument: FetchDocument): Promise<FetchedKeys> {
  const { signal } = new AbortController();
  const fetch = (uri: string) => fetchDocument(uri, { timeoutMillis, signal });
  if (meant === "issuer") return discover();
  const document = await fetch(text);
  if (document.ok) {
    if (meant === "auto" && readDiscovery(document.text).ok) return follow(text, document.text);
    const read = readKeySet(document.text);
    if (meant === "uri" || read.ok || read.kind === "noUsableKey") return fromKeySet(text, document);
  } else if (meant === "uri") return failed(text, document.fault);
  const discovered = await discover();
  // Where neither is there, what the address itself gave says more, unless it was a page for people.
  return discovered.uri === undefined && !document.ok ? failed(text, document.fault) : discovered;

  async function discover(): Promise<FetchedKeys> {
    const place = discoveryUri(text.endsWith("/") ? text.slice(0, -1) : text);
    const document = await fetch(place);
    return document.ok
      ? follow(place, document.text)
      : { ...failed(undefined, document.fault), discovery: withoutCredentials(place) };
  }

  async function follow(place: string, discovery: string): Promise<FetchedKeys> {
    const read = readDiscovery(discovery);
    const discovered = { discovery: withoutCredentials(place) };
    if (!read.ok) {
      const fault = keySourceFault("keys/discovery", `the discovery document: found ${read.fault}`);
      return { ...failed(undefined, fault), ...discovered };
    }
    const document = await fetch(read.jwksUri);
    const found = document.ok ? fromKeySet(read.jwksUri, document) : failed(read.jwksUri, document.fault);
    return { ...found, ...discovered, notes: notesOf(place, text, read) };
  }
}

function fromKeySet(uri: string, document: { readonly text: string; readonly maxAgeSeconds?: number }): FetchedKeys {
  const read = readKeySet(document.text);
  return {
    discovery: undefined,
    uri: withoutCredentials(uri),
    maxAgeSeconds: document.maxAgeSeconds,
    keys: readEachKey(document.text),
    notes: [],
    fault: read.ok ? undefined : keySourceFault("keys/unusable", `the key set: found ${read.fault}`),
  };
}

function failed(uri: string | undefined, fault: { readonly code: string; readonly message: string }): FetchedKeys {
  return {
    discovery: undefined,
    uri: uri === undefined ? undefined : withoutCredentials(uri),
    maxAgeSeconds: undefined,
    keys: [],
    notes: [],
    fault,
  };
}

function notesOf(
  place: string,
  asked: string,
  read: { readonly jwksUri: string; readonly issuer: string | undefined },
) {
  const notes: string[] = [];
  const same = read.issuer === asked || place === asked;
  if (!same) {
    notes.push(
      `the document's \`issuer\` is ${read.issuer === undefined ? "missing" : `\`${read.issuer}\``}: tokens carry that, and policies have to name it`,
    );
  }
  if (/^https:/i.test(place) && /^http:/i.test(read.jwksUri)) {
    notes.push("the keys come without TLS: whoever is on the way can exchange them");
  }
  return notes;
}
