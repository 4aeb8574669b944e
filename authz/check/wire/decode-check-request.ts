import type { ByteString } from "#policy-compiler/ruleset/model";
import type { CheckHttp, CheckPeer, CheckRequest } from "./check-request.ts";
import { type FilterMetadata, metadataValue, readFilterMetadata } from "./filter-metadata.ts";
import { HeaderTable } from "./header-table.ts";
import { mapValue, noSpans, readHeaderLines, readMapEntry, type TextSpans } from "./text-spans.ts";
import { fieldTag, varintTag, WireFault, WireReader } from "./wire-reader.ts";

export type DecodedCheckRequest =
  | { readonly ok: true; readonly request: CheckRequest }
  | { readonly ok: false; readonly fault: string };

/**
 * Reads an `envoy.service.auth.v3.CheckRequest`. Total: any bytes give a request or a fault, in time linear in their number.
 *
 * It reads what protobuf reads: unknown fields are passed over, of a repeated singular text the last counts, nested messages
 * merge, of equal map keys the last entry counts, of a oneof the last member. It differs on purpose in these points, and each of
 * them is exercised by the differential test:
 * - a text need not be UTF-8: it stays a byte string (a client chooses the bytes of an SNI, and an error would be a failed call);
 * - a field that is read here and comes with another wire type than its own is refused, not passed over as unknown;
 * - groups are refused; so is a field that runs past the end of the message that holds it, and a length beyond 32 bits;
 * - what lies inside a field that is not read here (time, route metadata, typed metadata) is not looked at.
 *
 * PERF: one Latin-1 copy of the message; texts are substrings of it. Whoever keeps one of them beyond the request keeps
 * the whole message alive, so copies belong into logs and caches. The message itself may be reused once the check is answered.
 */
export function decodeCheckRequest(message: Uint8Array): DecodedCheckRequest {
  try {
    const reader = new WireReader(message);
    const request = new DecodedRequest(reader.slab, message);
    readCheckRequest(reader, request);
    request.http?.settle();
    return { ok: true, request };
  } catch (fault) {
    if (fault instanceof WireFault) return { ok: false, fault: fault.message };
    throw fault;
  }
}

class DecodedPeer implements CheckPeer {
  readonly #slab: string;
  address: ByteString | undefined = undefined;
  port = 0;
  service: ByteString = "";
  principal: ByteString = "";
  certificate: ByteString = "";
  labelSpans = noSpans;

  constructor(slab: string) {
    this.#slab = slab;
  }

  label(name: string): ByteString | undefined {
    return mapValue(this.#slab, this.labelSpans, name);
  }
}

class DecodedHttp implements CheckHttp {
  method: ByteString = "";
  host: ByteString = "";
  path: ByteString = "";
  scheme: ByteString = "";
  protocol: ByteString = "";
  bodyStart = 0;
  bodyEnd = 0;
  rawBodyStart = 0;
  rawBodyEnd = 0;
  raw = false;
  mapSpans = noSpans;
  lineSpans = noSpans;
  readonly #slab: string;
  readonly #message: Uint8Array;
  #table: HeaderTable | undefined;

  constructor(slab: string, message: Uint8Array) {
    this.#slab = slab;
    this.#message = message;
  }

  body(): Uint8Array | undefined {
    // Envoy sends the one or the other (`pack_as_bytes`).
    if (this.rawBodyEnd > this.rawBodyStart) return this.#message.subarray(this.rawBodyStart, this.rawBodyEnd);
    return this.bodyEnd > this.bodyStart ? this.#message.subarray(this.bodyStart, this.bodyEnd) : undefined;
  }

  headerLines(name: ByteString): readonly ByteString[] {
    return this.#headers().lines(name);
  }

  headerNamesBeginning(prefix: ByteString): readonly ByteString[] {
    return this.#headers().namesBeginning(prefix);
  }

  /** An empty `header_map` beside entries in `headers` does not hide them. */
  settle(): void {
    if (this.lineSpans.length === 0 && this.mapSpans.length > 0) this.raw = false;
  }

  #headers(): HeaderTable {
    this.#table ??= new HeaderTable(this.#slab, this.raw ? this.lineSpans : this.mapSpans, this.raw);
    return this.#table;
  }
}

class DecodedRequest implements CheckRequest {
  readonly #slab: string;
  readonly message: Uint8Array;
  readonly source: DecodedPeer;
  readonly destination: DecodedPeer;
  http: DecodedHttp | undefined = undefined;
  tlsSession: { sni: ByteString } | undefined = undefined;
  filterMetadata: FilterMetadata | undefined = undefined;
  extensionSpans = noSpans;
  /** From the length of the first entry, so that the text reads in one way only, to the end of the last. */
  extensionsStart = 0;
  extensionsEnd = 0;

  constructor(slab: string, message: Uint8Array) {
    this.#slab = slab;
    this.message = message;
    this.source = new DecodedPeer(slab);
    this.destination = new DecodedPeer(slab);
  }

  contextExtension(name: string): ByteString | undefined {
    return mapValue(this.#slab, this.extensionSpans, name);
  }

  contextExtensionsText(): ByteString | undefined {
    return this.extensionsEnd === 0 ? undefined : this.#slab.substring(this.extensionsStart, this.extensionsEnd);
  }

  metadata(namespace: ByteString, key: ByteString): ByteString | readonly ByteString[] | undefined {
    return this.filterMetadata && metadataValue(this.filterMetadata, namespace, key);
  }

  hasMetadataNamespace(namespace: ByteString): boolean {
    return this.filterMetadata?.has(namespace) ?? false;
  }
}

function readCheckRequest(reader: WireReader, request: DecodedRequest): void {
  const end = reader.bytes.length;
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === fieldTag(1)) readAttributes(reader, reader.enter(end), request);
    else reader.skip(tag, end, 1 << 1);
  }
}

const ATTRIBUTES_FIELDS = (1 << 1) | (1 << 2) | (1 << 4) | (1 << 10) | (1 << 11) | (1 << 12);
const ATTRIBUTES_DEPTH = 2;

function readAttributes(reader: WireReader, end: number, request: DecodedRequest): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    switch (tag) {
      case fieldTag(1):
        readPeer(reader, reader.enter(end), request.source);
        break;
      case fieldTag(2):
        readPeer(reader, reader.enter(end), request.destination);
        break;
      case fieldTag(4):
        readRequest(reader, reader.enter(end), request);
        break;
      case fieldTag(10):
        if (request.extensionsEnd === 0) request.extensionsStart = reader.position;
        request.extensionSpans = own(request.extensionSpans);
        readMapEntry(reader, end, request.extensionSpans);
        request.extensionsEnd = reader.position;
        break;
      case fieldTag(11): {
        const inner = reader.enter(end);
        if (inner === reader.position) break;
        request.filterMetadata ??= new Map();
        readFilterMetadata(reader, inner, request.filterMetadata, ATTRIBUTES_DEPTH + 1);
        break;
      }
      case fieldTag(12):
        request.tlsSession ??= { sni: "" };
        readTlsSession(reader, reader.enter(end), request.tlsSession);
        break;
      default:
        reader.skip(tag, end, ATTRIBUTES_FIELDS);
    }
  }
}

const PEER_FIELDS = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5);

function readPeer(reader: WireReader, end: number, peer: DecodedPeer): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    switch (tag) {
      case fieldTag(1):
        readAddress(reader, reader.enter(end), peer);
        break;
      case fieldTag(2):
        peer.service = reader.text(end);
        break;
      case fieldTag(3):
        peer.labelSpans = own(peer.labelSpans);
        readMapEntry(reader, end, peer.labelSpans);
        break;
      case fieldTag(4):
        peer.principal = reader.text(end);
        break;
      case fieldTag(5):
        peer.certificate = reader.text(end);
        break;
      default:
        reader.skip(tag, end, PEER_FIELDS);
    }
  }
}

const ADDRESS_FIELDS = (1 << 1) | (1 << 2) | (1 << 3);

/** `socket_address`, `pipe` and `envoy_internal_address` are a oneof: the last one counts. */
function readAddress(reader: WireReader, end: number, peer: DecodedPeer): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === fieldTag(1)) {
      peer.address ??= "";
      readSocketAddress(reader, reader.enter(end), peer);
    } else if (tag === fieldTag(2) || tag === fieldTag(3)) {
      peer.address = undefined;
      peer.port = 0;
      reader.skipMessage(reader.enter(end));
    } else {
      reader.skip(tag, end, ADDRESS_FIELDS);
    }
  }
}

const SOCKET_ADDRESS_FIELDS = (1 << 2) | (1 << 3) | (1 << 4);

function readSocketAddress(reader: WireReader, end: number, peer: DecodedPeer): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    switch (tag) {
      case fieldTag(2):
        peer.address = reader.text(end);
        break;
      case varintTag(3):
        peer.port = reader.uint32(end);
        break;
      case fieldTag(4): // named_port, the other member of the oneof
        peer.port = 0;
        reader.span(end);
        break;
      default:
        reader.skip(tag, end, SOCKET_ADDRESS_FIELDS);
    }
  }
}

function readRequest(reader: WireReader, end: number, request: DecodedRequest): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === fieldTag(2)) {
      request.http ??= new DecodedHttp(reader.slab, request.message);
      readHttp(reader, reader.enter(end), request.http);
    } else {
      reader.skip(tag, end, 1 << 2);
    }
  }
}

const HTTP_FIELDS =
  (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13);

function readHttp(reader: WireReader, end: number, http: DecodedHttp): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    switch (tag) {
      case fieldTag(3):
        http.mapSpans = own(http.mapSpans);
        readMapEntry(reader, end, http.mapSpans);
        break;
      case fieldTag(13):
        http.raw = true;
        readHeaderMap(reader, reader.enter(end), http);
        break;
      case fieldTag(2):
        http.method = reader.text(end);
        break;
      case fieldTag(4):
        http.path = reader.text(end);
        break;
      case fieldTag(5):
        http.host = reader.text(end);
        break;
      case fieldTag(6):
        http.scheme = reader.text(end);
        break;
      case fieldTag(10):
        http.protocol = reader.text(end);
        break;
      case fieldTag(11):
        http.bodyStart = reader.span(end);
        http.bodyEnd = reader.position;
        break;
      case fieldTag(12):
        http.rawBodyStart = reader.span(end);
        http.rawBodyEnd = reader.position;
        break;
      default:
        reader.skip(tag, end, HTTP_FIELDS);
    }
  }
}

/** Two header maps merge: their lines follow each other. */
function readHeaderMap(reader: WireReader, end: number, http: DecodedHttp): void {
  const lines = readHeaderLines(reader, end);
  http.lineSpans = http.lineSpans.length === 0 ? lines : http.lineSpans.concat(lines);
}

/** Entries are added to a list of their own, never to the empty one that all share. */
function own(spans: TextSpans): TextSpans {
  return spans === noSpans ? [] : spans;
}

function readTlsSession(reader: WireReader, end: number, session: { sni: ByteString }): void {
  for (let tag = reader.tag(end); tag !== 0; tag = reader.tag(end)) {
    if (tag === fieldTag(1)) session.sni = reader.text(end);
    else reader.skip(tag, end, 1 << 1);
  }
}
