import type { CheckPeer, CheckRequest } from "#authz/check/wire/check-request";

/** What a check asks a decoded request for, as plain values: two decoders agree if their views are deeply equal. */
export interface DecodedView {
  readonly source: PeerView;
  readonly destination: PeerView;
  readonly http: HttpView | undefined;
  readonly sni: string | undefined;
  readonly extensions: { readonly [name: string]: string | undefined };
  readonly namespaces: { readonly [namespace: string]: boolean };
  readonly metadata: { readonly [namespaceAndKey: string]: unknown };
}
interface PeerView {
  readonly address: string | undefined;
  readonly port: number;
  readonly service: string;
  readonly principal: string;
  readonly certificate: string;
  readonly labels: { readonly [name: string]: string | undefined };
}
interface HttpView {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly scheme: string;
  readonly protocol: string;
  readonly body: string | undefined;
  readonly raw: boolean;
  readonly names: readonly string[];
  readonly lines: { readonly [name: string]: readonly string[] };
}

/** The names that a view asks for: what cannot be enumerated is asked by name. */
export interface AskedNames {
  readonly extensions: readonly string[];
  readonly sourceLabels: readonly string[];
  readonly destinationLabels: readonly string[];
  readonly metadata: readonly (readonly [namespace: string, key: string])[];
}

export function viewDecoded(request: CheckRequest, asked: AskedNames): DecodedView {
  const http = request.http;
  return {
    source: viewPeer(request.source, asked.sourceLabels),
    destination: viewPeer(request.destination, asked.destinationLabels),
    http: http && {
      method: forPeople(http.method),
      host: forPeople(http.host),
      path: forPeople(http.path),
      scheme: forPeople(http.scheme),
      protocol: forPeople(http.protocol),
      body: bodyText(http.body()),
      raw: http.raw,
      names: http.headerNamesBeginning("").map(forPeople).sort(),
      lines: fromEntries(
        http.headerNamesBeginning("").map((name) => [forPeople(name), http.headerLines(name).map(forPeople)]),
      ),
    },
    sni: request.tlsSession && forPeople(request.tlsSession.sni),
    extensions: fromEntries(asked.extensions.map((name) => [name, optional(request.contextExtension(toBytes(name)))])),
    namespaces: fromEntries(asked.metadata.map(([ns]) => [ns, request.hasMetadataNamespace(toBytes(ns))])),
    metadata: fromEntries(
      asked.metadata.map(([ns, key]) => {
        const value = request.metadata(toBytes(ns), toBytes(key));
        return [`${ns}\n${key}`, typeof value === "string" ? forPeople(value) : value?.map(forPeople)];
      }),
    ),
  };
}

function viewPeer(peer: CheckPeer, labels: readonly string[]): PeerView {
  return {
    address: optional(peer.address),
    port: peer.port,
    service: forPeople(peer.service),
    principal: forPeople(peer.principal),
    certificate: forPeople(peer.certificate),
    labels: fromEntries(labels.map((name) => [name, optional(peer.label(toBytes(name)))])),
  };
}

/** A message of the narrow schema, as protobuf-es reads it. */
interface NarrowPeer {
  address?: {
    address: { case?: string; value?: { address: string; portSpecifier: { case?: string; value?: unknown } } };
  };
  service: string;
  labels: Record<string, string>;
  principal: string;
  certificate: string;
}
interface NarrowHttp {
  method: string;
  host: string;
  path: string;
  scheme: string;
  protocol: string;
  body: string;
  rawBody: Uint8Array;
  headers: Record<string, string>;
  headerMap?: { headers: { key: string; value: string; rawValue: Uint8Array }[] };
}
interface NarrowStruct {
  fields: Record<string, NarrowValue>;
}
interface NarrowValue {
  kind: { case?: string; value?: unknown };
}
export interface NarrowCheckRequest {
  attributes?: {
    source?: NarrowPeer;
    destination?: NarrowPeer;
    request?: { http?: NarrowHttp };
    contextExtensions: Record<string, string>;
    metadataContext?: { filterMetadata: Record<string, NarrowStruct> };
    tlsSession?: { sni: string };
  };
}

/** What protobuf-es read, as the view that the lean decoder must give, and the names to ask for. */
export function viewNarrow({ attributes }: NarrowCheckRequest): { view: DecodedView; asked: AskedNames } {
  const http = attributes?.request?.http;
  const namespaces = Object.entries(attributes?.metadataContext?.filterMetadata ?? {});
  const asked: AskedNames = {
    extensions: exactNames(attributes?.contextExtensions),
    sourceLabels: exactNames(attributes?.source?.labels),
    destinationLabels: exactNames(attributes?.destination?.labels),
    metadata: namespaces
      .filter(([ns]) => isExact(ns))
      .flatMap(([ns, { fields }]) => [
        [ns, "absent key"] as const,
        ...exactNames(fields).map((key) => [ns, key] as const),
      ]),
  };
  const view: DecodedView = {
    source: viewNarrowPeer(attributes?.source, asked.sourceLabels),
    destination: viewNarrowPeer(attributes?.destination, asked.destinationLabels),
    http: http && viewNarrowHttp(http),
    sni: attributes?.tlsSession && noMark(attributes.tlsSession.sni),
    extensions: pick(attributes?.contextExtensions, asked.extensions),
    namespaces: fromEntries(asked.metadata.map(([ns]) => [ns, true])),
    metadata: fromEntries(
      asked.metadata.map(([ns, key]) => {
        const fields = attributes!.metadataContext!.filterMetadata[ns]!.fields;
        return [`${ns}\n${key}`, Object.hasOwn(fields, key) ? metadataOf(fields[key]!) : undefined];
      }),
    ),
  };
  return { view, asked };
}

function metadataOf({ kind }: NarrowValue): unknown {
  if (kind.case === "stringValue") return noMark(kind.value as string);
  if (kind.case !== "listValue") return undefined;
  const { values } = kind.value as { values: NarrowValue[] };
  return values.filter((value) => value.kind.case === "stringValue").map((value) => noMark(value.kind.value as string));
}

function viewNarrowPeer(peer: NarrowPeer | undefined, labels: readonly string[]): PeerView {
  const address = peer?.address?.address;
  const socket = address?.case === "socketAddress" ? address.value : undefined;
  return {
    address: socket && noMark(socket.address),
    port: socket?.portSpecifier.case === "portValue" ? (socket.portSpecifier.value as number) : 0,
    service: noMark(peer?.service ?? ""),
    principal: noMark(peer?.principal ?? ""),
    certificate: noMark(peer?.certificate ?? ""),
    labels: pick(peer?.labels, labels),
  };
}

function viewNarrowHttp(http: NarrowHttp): HttpView {
  const lines = http.headerMap?.headers ?? [];
  const raw = http.headerMap !== undefined && (lines.length > 0 || Object.keys(http.headers).length === 0);
  const all = new Map<string, string[]>();
  const names: string[] = [];
  if (raw) {
    for (const { key, value, rawValue } of lines) {
      const name = lower(noMark(key));
      names.push(name);
      const text = rawValue.length > 0 ? Buffer.from(rawValue).toString("utf8") : value;
      all.set(name, [...(all.get(name) ?? []), noMark(text)]);
    }
  } else {
    for (const [key, value] of Object.entries(http.headers)) {
      const name = lower(noMark(key));
      const before = all.get(name);
      if (before === undefined) names.push(name);
      all.set(name, [before === undefined ? noMark(value) : `${before[0]},${noMark(value)}`]);
    }
  }
  return {
    method: noMark(http.method),
    host: noMark(http.host),
    path: noMark(http.path),
    scheme: noMark(http.scheme),
    protocol: noMark(http.protocol),
    body: http.rawBody.length > 0 ? bodyText(http.rawBody) : noMark(http.body) || undefined,
    raw,
    names: [...new Set(names)].sort(),
    lines: fromEntries([...all]),
  };
}

/** Names whose bytes are known: where a byte was no UTF-8, protobuf-es has lost it and the name cannot be asked for. */
function exactNames(record: { readonly [name: string]: unknown } | undefined): string[] {
  return Object.keys(record ?? {}).filter(isExact);
}

function isExact(name: string): boolean {
  return !name.includes("\ufffd") && !name.includes("\ufeff");
}

function pick(record: { readonly [name: string]: string } | undefined, names: readonly string[]) {
  return fromEntries(
    names.map((name) => [name, record && Object.hasOwn(record, name) ? noMark(record[name]!) : undefined]),
  );
}

/** Without a prototype's setters: `__proto__` is a name like any other. */
function fromEntries<T>(entries: readonly (readonly [string, T])[]): { [name: string]: T } {
  const record: { [name: string]: T } = Object.create(null);
  for (const [name, value] of entries) record[name] = value;
  return record;
}

const bodyText = (body: Uint8Array | undefined) => body && noMark(Buffer.from(body).toString("utf8"));
const optional = (text: string | undefined) => (text === undefined ? undefined : forPeople(text));
const forPeople = (bytes: string) => noMark(Buffer.from(bytes, "latin1").toString("utf8"));
const toBytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
/** protobuf-es swallows a byte order mark at the start of a text. */
const noMark = (text: string) => text.replace(/^\ufeff/, "");
