import type { CallMetadata, ListenerSettings } from "#authz/check/contract";
import { pathPart } from "#authz/check/path/normalize";
import type { CheckHttp, CheckRequest } from "#authz/check/wire/check-request";
import {
  type Claims,
  type HttpAttributes,
  type IpAddress,
  type Maybe,
  type PeerNames,
  type RequestAttributes,
  UNKNOWN,
  type Workload,
} from "#authz/engine/attributes";
import type { EditedRequest } from "#authz/engine/edited-request";
import type { ByteString, Mesh } from "#policy-compiler/ruleset/model";
import { readDestinationAddress, readPeerAddress, readRemoteAddress } from "./addresses.ts";
import { attributeNames, readBracketed } from "./call-metadata.ts";
import { readSni, readTls } from "./connection.ts";
import { readFingerprint } from "./fingerprint.ts";
import { parseIpAddress } from "./ip-address.ts";
import { knowsUris } from "./known-uris.ts";
import { lackingBits } from "./lacking.ts";
import { readPeer } from "./peer.ts";
import { CheckHeaders, isGrpc } from "./request-headers.ts";

/** Everything that attributes are made from. */
export interface AttributeSources {
  readonly request: CheckRequest;
  readonly metadata: CallMetadata;
  readonly listener: Pick<ListenerSettings, "proxyProtocol" | "peerIdentity">;
  readonly workload: Workload;
  readonly mesh: Mesh;
  /** The request target in normal form, query included; undefined on TCP. */
  readonly target: ByteString | undefined;
  /** Does this door carry `source.principal`? */
  readonly principalTold: boolean;
  /** When the check began, in Unix milliseconds. */
  readonly nowMillis: number;
}

/** What stages have made of a check's request and found in it. */
type Later = Pick<CheckAttributes, "http" | "claims" | "tokens">;

/**
 * The attributes of one check, each made when it is first asked for, by its own order of belief (the files beside this one).
 * A value to its users: equal at every look.
 *
 * PERF: most rule sets ask for few attributes, so that addresses and certificates are mostly never parsed.
 */
export class CheckAttributes implements RequestAttributes {
  readonly http: CheckHttpAttributes | undefined;
  readonly claims: Maybe<Claims>;
  readonly tokens: Maybe<readonly Claims[]>;
  readonly nowMillis: number;
  readonly #sources: AttributeSources;
  #peerAddress: Maybe<IpAddress> | null = null;
  #remoteAddress: Maybe<IpAddress> | null = null;
  #destinationAddress: Maybe<IpAddress> | null = null;
  #tls: boolean | typeof UNKNOWN | null = null;
  #peer: Maybe<PeerNames> | null = null;
  #sni: Maybe<ByteString> | null = null;
  #lacking = 0;

  /** As received: no token was looked at, so that there are no claims (in Istio too, CUSTOM rules see none). */
  constructor(sources: AttributeSources, later?: Later) {
    const { http } = sources.request;
    this.#sources = sources;
    this.http =
      later === undefined
        ? http && new CheckHttpAttributes(http, sources.target ?? "", sources.principalTold)
        : later.http;
    this.claims = later?.claims;
    this.tokens = later?.tokens;
    this.nowMillis = sources.nowMillis;
  }

  /** The attributes of the same check once stages have edited its request and looked at its tokens. */
  after(
    edited: EditedRequest | undefined,
    claims: Maybe<Claims>,
    tokens: Maybe<readonly Claims[]> = undefined,
  ): CheckAttributes {
    const received = this.#sources.request.http;
    const http =
      received === undefined || edited === undefined
        ? this.http
        : new CheckHttpAttributes(received, edited.target, this.#sources.principalTold, edited);
    const next = new CheckAttributes(this.#sources, { http, claims, tokens });
    next.#peerAddress = this.#peerAddress;
    next.#remoteAddress = this.#remoteAddress;
    next.#destinationAddress = this.#destinationAddress;
    next.#tls = this.#tls;
    next.#peer = this.#peer;
    next.#sni = this.#sni;
    next.#lacking = this.lacking;
    return next;
  }

  get peerAddress(): Maybe<IpAddress> {
    if (this.#peerAddress === null) {
      this.#peerAddress = readPeerAddress(this.#sources);
      this.#note(attributeNames.peer, lackingBits.peer);
    }
    return this.#peerAddress;
  }

  /** Of the connection that `source` tells of, if that is the physical peer's. */
  get peerPort(): Maybe<number> {
    const { request, listener } = this.#sources;
    const { address, port } = request.source;
    const peer = this.peerAddress;
    if (listener.proxyProtocol || address === undefined || peer === undefined || peer === UNKNOWN) return UNKNOWN;
    return sameAddress(peer, parseIpAddress(address)) ? port : UNKNOWN;
  }

  /** Envoy sends the first URI name if there is one, else another, else nothing; bytes that are not UTF-8 become `!`. */
  get destinationPrincipal(): Maybe<ByteString> {
    const { request, principalTold } = this.#sources;
    const { principal } = request.destination;
    if (!principalTold || principal.includes("!")) return UNKNOWN;
    return principal.includes("://") ? principal : undefined;
  }

  get remoteAddress(): Maybe<IpAddress> {
    if (this.#remoteAddress === null) {
      this.#remoteAddress = readRemoteAddress(this.#sources, this.#sources.workload, this.#sources.mesh);
      this.#note(attributeNames.remote, lackingBits.remote);
    }
    return this.#remoteAddress;
  }

  get destinationAddress(): Maybe<IpAddress> {
    if (this.#destinationAddress === null) this.#destinationAddress = readDestinationAddress(this.#sources);
    return this.#destinationAddress;
  }

  /** Unknown where the local end has no address: then its port says nothing. */
  get destinationPort(): Maybe<number> {
    const { address, port } = this.#sources.request.destination;
    return address === undefined ? UNKNOWN : port;
  }

  get tls(): boolean | typeof UNKNOWN {
    if (this.#tls === null) {
      this.#tls = readTls(this.#sources.request, this.#sources.metadata);
      this.#note(attributeNames.tls, lackingBits.tls);
    }
    return this.#tls;
  }

  get peer(): Maybe<PeerNames> {
    if (this.#peer === null) {
      const { request, metadata, listener, principalTold } = this.#sources;
      this.#peer = readPeer({ source: request.source, metadata, peerIdentity: listener.peerIdentity, principalTold });
      if (this.#peer === UNKNOWN || this.#peer?.complete === false) this.#lacking |= lackingBits.names;
    }
    return this.#peer;
  }

  /** SHA-256 of the peer's certificate, hex in lower case. Asked by the deny list alone. */
  get fingerprint(): Maybe<string> {
    const { request, metadata } = this.#sources;
    const fingerprint = readFingerprint(request.source, metadata);
    // Where there is no certificate, no line of configuration brings one.
    if (fingerprint === UNKNOWN && this.peer !== undefined) this.#lacking |= lackingBits.fingerprint;
    return fingerprint;
  }

  /** Are all URI names of the peer known, if it has a certificate that counts? Asked by the deny list alone. */
  get urisKnown(): boolean {
    const { peer } = this;
    if (peer === undefined || peer === UNKNOWN) return peer === undefined;
    return knowsUris(peer, this.#sources.metadata);
  }

  get sni(): Maybe<ByteString> {
    if (this.#sni === null) {
      this.#sni = readSni(this.#sources.request);
      if (this.#sni === UNKNOWN) this.#lacking |= lackingBits.sni;
    }
    return this.#sni;
  }

  /** What was asked for and Envoy was not told to send: bits of `lackingBits`. Grows as attributes are read. */
  get lacking(): number {
    const joined = this.http?.headers.askedJoined === true;
    return joined ? this.#lacking | lackingBits.rawHeaders : this.#lacking;
  }

  #note(name: string, bit: number): void {
    if (readBracketed(this.#sources.metadata.get(name)) === UNKNOWN) this.#lacking |= bit;
  }

  /** A namespace that Envoy was not told to send is unknown; a key that a sent one lacks is absent. */
  get metadata(): RequestAttributes["metadata"] {
    const { request } = this.#sources;
    return (namespace, key) => (request.hasMetadataNamespace(namespace) ? request.metadata(namespace, key) : UNKNOWN);
  }
}

function sameAddress(one: IpAddress, other: IpAddress | undefined): boolean {
  if (other === undefined || one.bytes.length !== other.bytes.length) return false;
  for (let i = 0; i < one.bytes.length; i++) if (one.bytes[i] !== other.bytes[i]) return false;
  return true;
}

class CheckHttpAttributes implements HttpAttributes {
  readonly method: ByteString;
  readonly host: ByteString;
  /** Absent where the request has none (CONNECT). */
  readonly path: Maybe<ByteString>;
  readonly headers: CheckHeaders;
  /** What the upstream is to get: the normal form with its query, or what a stage made of it. */
  readonly target: ByteString;
  readonly #http: CheckHttp;
  readonly #edited: EditedRequest | undefined;
  /** The HTTP service asks without a body: a length that it tells is of its own question. */
  readonly #lengthTold: boolean;

  constructor(http: CheckHttp, target: ByteString, lengthTold: boolean, edited?: EditedRequest) {
    this.#http = http;
    this.#edited = edited;
    this.#lengthTold = lengthTold;
    this.target = target;
    this.method = edited?.edit(":method")?.[0] ?? http.method;
    this.host = edited?.edit(":authority")?.[0] ?? http.host;
    this.path = target === "" ? undefined : pathPart(target);
    this.headers = new CheckHeaders(http, target, edited);
  }

  get scheme(): Maybe<ByteString> {
    return this.#edited?.edit(":scheme")?.[0] ?? (this.#http.scheme || UNKNOWN);
  }

  get protocol(): Maybe<ByteString> {
    return this.#http.protocol || UNKNOWN;
  }

  get size(): Maybe<number> {
    if (!this.#lengthTold) return UNKNOWN;
    const lines = this.headers.get("content-length")?.lines;
    if (lines === undefined) return undefined;
    // RFC 9110 §8.6. Envoy's codecs refuse others.
    return lines.length === 1 && /^\d{1,15}$/.test(lines[0]!) ? Number(lines[0]) : UNKNOWN;
  }

  get grpc(): boolean {
    const edited = this.#edited;
    return isGrpc(edited === undefined ? this.#http : { headerLines: (name) => edited.lines(name) });
  }
}
