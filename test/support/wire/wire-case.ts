import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import type { CheckPeer, CheckRequest } from "#authz/check/wire/check-request";

/** What one CheckRequest of a real Envoy was meant to say: `test/cases/wire/<name>.json`, beside the message as `<name>.bin`. */
export interface WireCase {
  readonly name: string;
  /** What was sent to Envoy, in words. */
  readonly sent: string;
  readonly source: Partial<PeerMeant>;
  readonly destination?: Partial<PeerMeant>;
  /** Null: a connection. */
  readonly http: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    readonly protocol: string;
    readonly raw: boolean;
    /** Every line of these headers, as Latin-1. */
    readonly headers: { readonly [name: string]: readonly string[] };
  } | null;
  /** Null: no `tls_session`. */
  readonly sni: string | null;
  readonly contextExtensions?: { readonly [name: string]: string };
  readonly metadata?: { readonly [namespace: string]: { readonly [key: string]: string | readonly string[] | null } };
  /** The call's `x-garita-…` metadata; the values are compared where they are the same every time. */
  readonly callMetadata: { readonly [name: string]: string };
}

interface PeerMeant {
  readonly address: string;
  readonly port: number;
  readonly service: string;
  readonly principal: string;
  /** Subject alternative names of the certificate, as Node prints them; null: none was sent. */
  readonly certificateNames: string | null;
  readonly labels: { readonly [name: string]: string };
}

const folder = new URL("../../cases/wire/", import.meta.url);

export function wireCases(): WireCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as WireCase);
}

/** Where the message of a case is kept. */
export function messageFile(name: string): URL {
  return new URL(`${name}.bin`, folder);
}

/** Asserts that a decoded request says what the case means. */
export function assertMeant(request: CheckRequest, meant: WireCase, certificateNames: (pem: string) => string): void {
  assertPeer(request.source, meant.source, certificateNames);
  assertPeer(request.destination, meant.destination ?? {}, certificateNames);
  assert.equal(request.tlsSession?.sni ?? null, meant.sni);
  for (const [name, value] of Object.entries(meant.contextExtensions ?? {})) {
    assert.equal(request.contextExtension(name), value);
  }
  for (const [namespace, values] of Object.entries(meant.metadata ?? {})) {
    assert.ok(request.hasMetadataNamespace(namespace));
    for (const [key, value] of Object.entries(values))
      assert.deepEqual(request.metadata(namespace, key) ?? null, value);
  }
  if (meant.http === null) {
    assert.equal(request.http, undefined);
    return;
  }
  const { http } = request;
  assert.ok(http, "no HTTP request");
  const { headers, ...plain } = meant.http;
  const { method, host, path, protocol, raw } = http;
  assert.deepEqual({ method, host, path, protocol, raw }, plain);
  for (const [name, lines] of Object.entries(headers)) assert.deepEqual(http.headerLines(name), lines, name);
}

function assertPeer(peer: CheckPeer, meant: Partial<PeerMeant>, certificateNames: (pem: string) => string): void {
  if (meant.address !== undefined) assert.equal(peer.address, meant.address);
  if (meant.port !== undefined) assert.equal(peer.port, meant.port);
  if (meant.service !== undefined) assert.equal(peer.service, meant.service);
  if (meant.principal !== undefined) assert.equal(peer.principal, meant.principal);
  if (meant.certificateNames === null) assert.equal(peer.certificate, "");
  else if (meant.certificateNames !== undefined) {
    assert.equal(certificateNames(decodeURIComponent(peer.certificate)), meant.certificateNames);
  }
  for (const [name, value] of Object.entries(meant.labels ?? {})) assert.equal(peer.label(name), value);
}
