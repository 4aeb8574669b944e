import type { Facts, RequestFacts } from "#policy-compiler/conditions/contract";
import type { ByteString } from "#policy-compiler/ruleset/model";
import {
  type HttpAttributes,
  type Maybe,
  type PeerNames,
  type RequestAttributes,
  UNKNOWN,
  type Workload,
} from "../attributes.ts";

/**
 * The attributes of a request as conditions see them. `beforeTokens`: for CUSTOM rules, whose stage comes before tokens are looked
 * at; claims are unknown to them. Nothing is read before an expression asks for it.
 */
export class AttributeFacts implements Facts {
  readonly workload: Facts["workload"];
  readonly #asked: RequestAttributes;
  readonly #beforeTokens: boolean;
  readonly #request: HttpFacts | undefined;

  constructor(asked: RequestAttributes, workload: Workload, beforeTokens: boolean) {
    this.#asked = asked;
    this.#beforeTokens = beforeTokens;
    this.#request = asked.http && new HttpFacts(asked.http);
    this.workload = workload;
  }

  get request(): RequestFacts | undefined {
    return this.#request;
  }

  get sourceAddress(): Facts["sourceAddress"] {
    return this.#asked.peerAddress;
  }

  get remoteAddress(): Facts["remoteAddress"] {
    return this.#asked.remoteAddress;
  }

  get sourcePrincipal(): Facts["sourcePrincipal"] {
    return firstUri(this.#asked.peer);
  }

  get sourcePort(): Maybe<number> {
    return this.#asked.peerPort;
  }

  get destinationPrincipal(): Maybe<ByteString> {
    return this.#asked.destinationPrincipal;
  }

  get destinationAddress(): Facts["destinationAddress"] {
    return this.#asked.destinationAddress;
  }

  get destinationPort(): Facts["destinationPort"] {
    return this.#asked.destinationPort;
  }

  get sni(): Facts["sni"] {
    return this.#asked.sni;
  }

  get tls(): Facts["tls"] {
    return this.#asked.tls;
  }

  get claims(): Facts["claims"] {
    return this.#beforeTokens ? UNKNOWN : this.#asked.claims;
  }

  get tokens(): Facts["tokens"] {
    return this.#beforeTokens ? UNKNOWN : this.#asked.tokens;
  }

  get nowMillis(): number {
    return this.#asked.nowMillis;
  }
}

class HttpFacts implements RequestFacts {
  readonly #http: HttpAttributes;

  constructor(http: HttpAttributes) {
    this.#http = http;
  }

  get method(): RequestFacts["method"] {
    return this.#http.method;
  }

  get host(): RequestFacts["host"] {
    return this.#http.host;
  }

  get path(): RequestFacts["path"] {
    return this.#http.path;
  }

  /** CONNECT has none. */
  get target(): RequestFacts["target"] {
    const { target } = this.#http;
    return target === "" ? undefined : target;
  }

  get scheme(): RequestFacts["scheme"] {
    return this.#http.scheme;
  }

  get protocol(): RequestFacts["protocol"] {
    return this.#http.protocol;
  }

  get size(): RequestFacts["size"] {
    return this.#http.size;
  }

  header(name: ByteString): ReturnType<RequestFacts["header"]> {
    return name.startsWith(":") ? undefined : this.#http.headers.get(name);
  }

  headerNames(): readonly ByteString[] {
    return this.#http.headers.names();
  }
}

/**
 * The first URI name. URI names come before all others, so that a list that could not be taken apart may hold an earlier one if there
 * is a URI in it; without a URI, names that were not told may be some.
 */
function firstUri(peer: Maybe<PeerNames>): Maybe<ByteString> {
  if (peer === undefined || peer === UNKNOWN) return peer;
  if (peer.opaque.some((list) => list.includes("://"))) return UNKNOWN;
  const uri = peer.names.find((name) => /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(name));
  return uri ?? (peer.complete ? undefined : UNKNOWN);
}
