import { fromBinary } from "@bufbuild/protobuf";
import { decodeCheckRequest } from "#authz/check/wire/decode-check-request";
import { BODIES_TOLD } from "#authz/custom/asked-body";
import type { ProviderQuestion } from "#authz/custom/contract";
import { EditedRequest } from "#authz/engine/edited-request";
import { CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import type { CapturedCheck } from "#test/support/envoy/capture-server";

/** The question that a check of our own filter snippet comes to, where no stage has edited anything. */
export function questionOf({ message, metadata }: CapturedCheck): ProviderQuestion {
  const decoded = decodeCheckRequest(message);
  if (!decoded.ok) throw new Error(decoded.fault);
  const { source, destination, http, tlsSession } = decoded.request;
  const full = fromBinary(CheckRequestSchema, message).attributes?.request?.http;
  return {
    http: http && {
      request: new EditedRequest({ target: http.path, lines: (name) => http.headerLines(name) }),
      method: http.method,
      authority: http.host,
      scheme: full?.scheme ?? "",
      protocol: http.protocol,
      headerNames: http.headerNamesBeginning(""),
      body: metadata(BODIES_TOLD).length === 0 ? undefined : (full?.rawBody ?? new Uint8Array()),
      bodyIsPartial: http.headerLines("x-envoy-auth-partial-body")[0] === "true",
    },
    message,
    peers: {
      source: { address: source.address, port: source.port, principal: source.principal },
      destination: { address: destination.address, port: destination.port, principal: destination.principal },
      sni: tlsSession?.sni,
    },
  };
}

/** A GET of `/a` with these header lines, for providers that are asked without an Envoy. */
export function plainQuestion(headers: Readonly<Record<string, readonly string[]>> = {}): ProviderQuestion {
  return {
    http: {
      request: new EditedRequest({ target: "/a?q=1", lines: (name) => headers[name] ?? [] }),
      method: "GET",
      authority: "a.example",
      scheme: "http",
      protocol: "HTTP/1.1",
      headerNames: Object.keys(headers),
      body: new Uint8Array(),
      bodyIsPartial: false,
    },
    message: undefined,
    peers: {
      source: { address: "10.0.0.9", port: 50000, principal: "spiffe://cluster.local/ns/foo/sa/a" },
      destination: { address: "10.0.0.1", port: 8080, principal: "" },
      sni: undefined,
    },
  };
}

/** A connection. */
export const connectionQuestion: ProviderQuestion = {
  ...plainQuestion(),
  http: undefined,
  peers: { ...plainQuestion().peers, sni: "db.example" },
};
