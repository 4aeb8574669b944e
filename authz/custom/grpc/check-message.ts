import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { sanitizeUtf8 } from "#authz/check/attributes/sanitize-utf8";
import { type AskedHttp, askedHeaders, firstLine, PARTIAL_BODY } from "#authz/custom/asked-headers";
import type { ProviderPeer } from "#authz/custom/contract";
import type { Asked } from "#authz/custom/transport";
import { AddressSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/address_pb";
import { MetadataSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import {
  type AttributeContext,
  type AttributeContext_HttpRequest,
  AttributeContext_HttpRequestSchema,
  type AttributeContext_Peer,
  AttributeContext_PeerSchema,
  AttributeContext_RequestSchema,
  AttributeContextSchema,
} from "#platform/envoy-api/gen/envoy/service/auth/v3/attribute_context_pb";
import { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { fromByteString } from "#policy-compiler/ruleset/byte-string";
import type { ByteString } from "#policy-compiler/ruleset/model";

/**
 * The CheckRequest that the Envoy of Istio sends a provider: headers joined, no TLS session, certificate, labels or context extensions, which
 * Istio has no options for. Peers, time, id and size are those received, where the check came by gRPC.
 */
export function encodeCheckMessage({ question, body }: Asked, bodyAsBytes: boolean): Uint8Array {
  const received = question.message && decodeReceived(question.message);
  const attributes = create(AttributeContextSchema, {
    source: keptPeer(received?.source) ?? ownPeer(question.peers.source),
    destination: keptPeer(received?.destination) ?? ownPeer(question.peers.destination),
    metadataContext: create(MetadataSchema),
  });
  const { http } = question;
  if (http === undefined) {
    // The network filter tells the server name here, for a connection alone.
    const name = question.peers.sni ?? "";
    attributes.destination!.service = received?.destination?.service || textOf(name);
  } else {
    attributes.destination!.service = "";
    attributes.routeMetadataContext = create(MetadataSchema);
    const { time, http: receivedHttp } = received?.request ?? {};
    attributes.request = create(AttributeContext_RequestSchema, {
      ...(time === undefined ? {} : { time }),
      http: httpRequest(http, receivedHttp, body, bodyAsBytes),
    });
  }
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes }));
}

/** Undefined for bytes that protobuf does not take: they were readable for Garita, and its own fields are told. */
function decodeReceived(message: Uint8Array): AttributeContext | undefined {
  try {
    return fromBinary(CheckRequestSchema, message, { readUnknownFields: false }).attributes;
  } catch (thrown) {
    if (thrown instanceof Error) return undefined;
    throw thrown;
  }
}

function keptPeer(peer: AttributeContext_Peer | undefined): AttributeContext_Peer | undefined {
  if (peer === undefined) return undefined;
  const { address, service, principal } = peer;
  return create(AttributeContext_PeerSchema, { ...(address === undefined ? {} : { address }), service, principal });
}

function ownPeer({ address, port, principal }: ProviderPeer): AttributeContext_Peer {
  const peer = create(AttributeContext_PeerSchema, { principal: textOf(principal) });
  if (address !== undefined) {
    peer.address = create(AddressSchema, {
      address: {
        case: "socketAddress",
        value: { address: textOf(address), portSpecifier: { case: "portValue", value: port } },
      },
    });
  }
  return peer;
}

function httpRequest(
  http: AskedHttp,
  received: AttributeContext_HttpRequest | undefined,
  body: Asked["body"],
  bodyAsBytes: boolean,
): AttributeContext_HttpRequest {
  const headers = askedHeaders(http);
  if (body.kind === "sent") headers.set(PARTIAL_BODY, String(body.partial));
  const field = (name: string) => textOf(firstLine(http, name) ?? "");
  const request = create(AttributeContext_HttpRequestSchema, {
    id: received?.id ?? "",
    method: field(":method"),
    path: field(":path"),
    host: field(":authority"),
    scheme: field(":scheme"),
    protocol: textOf(http.protocol),
    // Bytes that had come when Envoy asked: those of a buffered body, else none.
    size: body.kind === "sent" ? (received?.size ?? BigInt(body.bytes.length)) : 0n,
    headers: Object.fromEntries([...headers].map(([name, value]) => [textOf(name), textOf(value)])),
  });
  if (body.kind === "sent" && bodyAsBytes) request.rawBody = body.bytes;
  else if (body.kind === "sent") request.body = textOf(Buffer.from(body.bytes).toString("latin1"));
  return request;
}

/** A byte string as Envoy writes it into a protobuf string. */
function textOf(bytes: ByteString): string {
  return fromByteString(sanitizeUtf8(bytes));
}
