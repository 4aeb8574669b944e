import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * A CheckRequest as the lean decoder reads it (`envoy.service.auth.v3`): only the fields that policies can speak of. Every text is a
 * byte string. A field that the message lacks is `""` or `undefined` as proto3 has it; nothing here throws once decoded.
 */
export interface CheckRequest {
  readonly source: CheckPeer;
  readonly destination: CheckPeer;
  /** Undefined: a connection (TCP). */
  readonly http: CheckHttp | undefined;
  /** Present when Envoy was told to send it, also on plaintext. */
  readonly tlsSession: { readonly sni: ByteString } | undefined;
  contextExtension(name: string): ByteString | undefined;
  /** All context extensions as they stand in the message: equal texts mean equal extensions. Undefined when there are none. */
  contextExtensionsText(): ByteString | undefined;
  /** `metadata_context.filter_metadata[namespace].fields[key]`; a string, a list of strings (others left out), else undefined. */
  metadata(namespace: ByteString, key: ByteString): ByteString | readonly ByteString[] | undefined;
  /** Was the metadata namespace sent at all? */
  hasMetadataNamespace(namespace: ByteString): boolean;
}

export interface CheckPeer {
  /** `socket_address.address`; undefined for a pipe, an internal listener, or none. */
  readonly address: ByteString | undefined;
  readonly port: number;
  readonly service: ByteString;
  readonly principal: ByteString;
  /** URL-encoded PEM, as sent; empty when not sent. */
  readonly certificate: ByteString;
  label(name: string): ByteString | undefined;
}

export interface CheckHttp {
  readonly method: ByteString;
  readonly host: ByteString;
  readonly path: ByteString;
  readonly scheme: ByteString;
  readonly protocol: ByteString;
  /** True: `header_map` was sent (raw, line by line); false: only the joined `headers`. */
  readonly raw: boolean;
  /** Every line of a header by lower-case name, in order. With `raw` false at most one, which may be several joined. */
  headerLines(name: ByteString): readonly ByteString[];
  /** The names that begin with a lower-case prefix, in order, lower case, each once. Allocates for hits only. */
  headerNamesBeginning(prefix: ByteString): readonly ByteString[];
  /** What Envoy sent of the request's body; undefined: nothing, because there is none or because it was not told to. */
  body(): Uint8Array | undefined;
}
