import {
  type HeaderLines,
  type IpAddress,
  type Maybe,
  type PeerNames,
  type RequestAttributes,
  UNKNOWN,
} from "#authz/engine/attributes";
import type { ByteString, IndexDimension, IndexKey } from "#policy-compiler/ruleset/model";
import type { Steps } from "#policy-compiler/ruleset/steps";
import { claimAt } from "../leaves/claims.ts";
import { foldAscii } from "../leaves/text.ts";
import { Affixes } from "./affixes.ts";
import { Blocks } from "./blocks.ts";
import type { Candidates } from "./candidates.ts";

/** Offers the rules of one dimension whose anchor may hold of a request: a superset of those that match or are unknown. */
export type DimensionLookup = (request: RequestAttributes, candidates: Candidates) => void;

/** Texts that are filed between two interruptions. */
const STEP = 1024;

/** Makes a dimension's look-up; undefined for those that look at the workload. */
export function* prepareDimension(dimension: IndexDimension): Steps<DimensionLookup | undefined> {
  const { on } = dimension;
  if (on.kind === "workloadNamespace" || on.kind === "workloadLabel") return undefined;
  return lookupOn(on, yield* DimensionTable.prepare(dimension));
}

type RequestKey = Exclude<IndexKey, { readonly kind: "workloadNamespace" | "workloadLabel" }>;

function lookupOn(on: RequestKey, table: DimensionTable): DimensionLookup {
  switch (on.kind) {
    case "identityNamespace":
      return onPeer(table, (name, candidates) => segmentsAfter("/ns/", name, table, candidates));
    case "identityServiceAccount":
      return onPeer(table, (name, candidates) => segmentsAfter("/sa/", name, table, candidates));
    case "identityTrustDomain":
      return onPeer(table, (name, candidates) => {
        if (name.startsWith(SCHEME)) table.text(segmentAt(name, SCHEME.length), candidates);
      });
  }
  const attribute = on.attribute;
  switch (attribute.kind) {
    case "host":
      return onText(table, (request) => {
        const host = request.http?.host;
        return typeof host === "string" ? foldAscii(host) : host;
      });
    case "method":
      return onText(table, (request) => request.http?.method);
    case "path":
      return onText(table, (request) => request.http?.path);
    case "sni":
      return onText(table, (request) => request.sni);
    case "port":
      return onText(table, ({ destinationPort }) =>
        typeof destinationPort === "number" ? String(destinationPort) : destinationPort,
      );
    case "peerAddress":
      return onAddress(table, (request) => request.peerAddress);
    case "remoteAddress":
      return onAddress(table, (request) => request.remoteAddress);
    case "destinationAddress":
      return onAddress(table, (request) => request.destinationAddress);
    case "identity":
      return onPeer(table, (name, candidates) => table.text(name, candidates));
    case "header":
      return (request, candidates) => onHeader(table, request.http?.headers.get(attribute.name), candidates);
    case "claim":
      return onClaim(table, attribute.path);
    case "requestPrincipal":
      // Two claims at once: such rules are filed under one of the claims.
      return (request, candidates) => {
        if (request.claims !== undefined) table.everything(candidates);
      };
    case "metadata":
      return (request, candidates) => {
        const value = request.metadata(attribute.namespace, attribute.key);
        if (value === UNKNOWN) table.everything(candidates);
        else if (typeof value === "string") table.text(value, candidates);
        else if (value !== undefined) for (const item of value) table.text(item, candidates);
      };
  }
}

/** The lists of one dimension, ready for look-ups. */
export class DimensionTable {
  readonly #exact: ReadonlyMap<ByteString, readonly number[]>;
  readonly #prefix: Affixes | undefined;
  readonly #suffix: Affixes | undefined;
  readonly #blocks: Blocks | undefined;
  readonly #present: readonly number[];
  readonly #source: IndexDimension;

  private constructor(
    source: IndexDimension,
    exact: ReadonlyMap<ByteString, readonly number[]>,
    prefix: Affixes | undefined,
    suffix: Affixes | undefined,
    blocks: Blocks | undefined,
  ) {
    this.#source = source;
    this.#exact = exact;
    this.#prefix = prefix;
    this.#suffix = suffix;
    this.#blocks = blocks;
    this.#present = source.present;
  }

  static *prepare(source: IndexDimension): Steps<DimensionTable> {
    const exact = new Map<ByteString, readonly number[]>();
    for (const [text, rules] of source.exact) {
      exact.set(text, rules);
      if (exact.size % STEP === 0) yield;
    }
    const prefix = source.prefix.length > 0 ? yield* Affixes.prepare(source.prefix, false) : undefined;
    const suffix = source.suffix.length > 0 ? yield* Affixes.prepare(source.suffix, true) : undefined;
    const blocks = source.cidr.length > 0 ? yield* Blocks.prepare(source.cidr) : undefined;
    return new DimensionTable(source, exact, prefix, suffix, blocks);
  }

  /** The attribute is there and has this text. */
  text(text: ByteString, candidates: Candidates): void {
    const exact = this.#exact.get(text);
    if (exact !== undefined) candidates.offer(exact);
    this.#prefix?.find(text, candidates);
    this.#suffix?.find(text, candidates);
    candidates.offer(this.#present);
  }

  address(address: IpAddress, candidates: Candidates): void {
    this.#blocks?.find(address, candidates);
  }

  /** The attribute is there. */
  present(candidates: Candidates): void {
    candidates.offer(this.#present);
  }

  /** Law 5: an attribute that is unknown gives every rule that is filed under it. */
  everything(candidates: Candidates): void {
    const { exact, prefix, suffix, cidr, present } = this.#source;
    for (const lists of [exact, prefix, suffix]) for (const [, rules] of lists) candidates.offer(rules);
    for (const { rules } of cidr) candidates.offer(rules);
    candidates.offer(present);
  }
}

const SCHEME = "spiffe://";

function onText(table: DimensionTable, read: (request: RequestAttributes) => Maybe<ByteString>): DimensionLookup {
  return (request, candidates) => {
    const text = read(request);
    if (typeof text === "string") table.text(text, candidates);
    else if (text === UNKNOWN) table.everything(candidates);
  };
}

function onAddress(table: DimensionTable, read: (request: RequestAttributes) => Maybe<IpAddress>): DimensionLookup {
  return (request, candidates) => {
    const address = read(request);
    if (address === UNKNOWN) table.everything(candidates);
    else if (address !== undefined) table.address(address, candidates);
  };
}

/** Names that are joined or not all known can leave any rule on identities unknown. */
function onPeer(table: DimensionTable, lookUp: (name: ByteString, candidates: Candidates) => void): DimensionLookup {
  return ({ peer }, candidates) => {
    if (peer === undefined) return;
    if (peer === UNKNOWN || isOpen(peer)) table.everything(candidates);
    else for (const name of peer.names) lookUp(name, candidates);
  };
}

function isOpen(peer: PeerNames): boolean {
  return !peer.complete || peer.opaque.length > 0;
}

/** A joined value with a comma may be several lines: any rule on the header can be unknown of it. */
function onHeader(table: DimensionTable, header: HeaderLines | undefined, candidates: Candidates): void {
  if (header === undefined) return;
  table.present(candidates);
  for (const line of header.lines) {
    if (header.joined && line.includes(",")) table.everything(candidates);
    else table.text(line, candidates);
  }
}

function onClaim(table: DimensionTable, path: readonly ByteString[]): DimensionLookup {
  return ({ claims }, candidates) => {
    if (claims === undefined) return;
    if (claims === UNKNOWN) {
      table.everything(candidates);
      return;
    }
    const value = claimAt(claims, path);
    if (typeof value === "string") table.text(value, candidates);
    else if (Array.isArray(value)) {
      for (const item of value) if (typeof item === "string") table.text(item, candidates);
    }
  };
}

/** The segment after each place where `marker` occurs; places may share a slash. */
function segmentsAfter(marker: string, name: ByteString, table: DimensionTable, candidates: Candidates): void {
  for (let at = name.indexOf(marker); at >= 0; at = name.indexOf(marker, at + 1)) {
    table.text(segmentAt(name, at + marker.length), candidates);
  }
}

function segmentAt(name: ByteString, start: number): ByteString {
  const slash = name.indexOf("/", start);
  return slash < 0 ? name.slice(start) : name.slice(start, slash);
}
