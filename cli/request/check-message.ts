import { create, fromJson, type JsonObject, type JsonValue, toBinary } from "@bufbuild/protobuf";
import type { CallMetadata } from "#authz/check/contract";
import { type CheckRequest, CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { withDescribedToken } from "./described-token.ts";
import {
  type CallerDescription,
  type HttpDescription,
  headerLines,
  type RequestDescription,
  type WorkloadDescription,
} from "./description.ts";

/** What goes into a check: the bytes of a CheckRequest and the metadata of the call. */
export interface CheckMessage {
  readonly message: Uint8Array;
  readonly metadata: CallMetadata;
}

/** Asks as an Envoy would that runs our filter: raw headers, TLS session, attribute metadata, workload in the context extensions. */
export function checkMessage(description: RequestDescription): CheckMessage {
  const caller = description.caller ?? {};
  const workload = description.workload ?? {};
  const peer = caller.address ?? "127.0.0.1";
  const tls = speaksTls(caller);
  const uri = caller.principal === undefined ? "" : spiffeUri(caller.principal);
  const extensions = contextExtensions(workload);
  const request = create(CheckRequestSchema, {
    attributes: {
      source: { address: socketAddress(peer, 50000), principal: uri || caller.dnsName || caller.subject || "" },
      destination: {
        address: socketAddress(workload.address ?? "127.0.0.1", workload.port ?? 8080),
        labels: description.tcp === true ? extensions : {},
      },
      tlsSession: { sni: caller.sni ?? "" },
      ...(description.tcp === true
        ? {}
        : {
            request: { http: httpRequest(withDescribedToken(description.request ?? {}, caller.claims), tls) },
            contextExtensions: extensions,
          }),
    },
  });
  return {
    message: toBinary(CheckRequestSchema, request),
    metadata: attributeMetadata({
      peer,
      remote: caller.remoteAddress ?? peer,
      tls: tls ? "TLSv1.3" : "",
      uris: uri,
      dns: caller.dnsName ?? "",
      subject: caller.subject ?? "",
      fingerprint: caller.fingerprint ?? "",
    }),
  };
}

/**
 * A CheckRequest that was recorded as JSON (the protobuf mapping), alone or as `{request, metadata}`.
 * Throws an Error that says what is wrong with the text.
 */
export function recordedCheck(text: string): CheckMessage {
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed)) throw new Error("expected an object");
  const wrapped = parsed["attributes"] === undefined && parsed["request"] !== undefined;
  const body = wrapped ? parsed["request"] : parsed;
  if (!isObject(body) || body["attributes"] === undefined) throw new Error("expected `attributes`, found none");
  const request: CheckRequest = fromJson(CheckRequestSchema, body, { ignoreUnknownFields: true });
  const metadata = (wrapped ? parsed["metadata"] : undefined) ?? {};
  if (!isObject(metadata)) throw new Error("expected `metadata` to be an object of texts or lists of texts");
  const lines = new Map(
    Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), metadataLines(name, value)]),
  );
  return { message: toBinary(CheckRequestSchema, request), metadata: { get: (name) => lines.get(name) ?? [] } };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function metadataLines(name: string, value: JsonValue): readonly string[] {
  return [value].flat().map((line) => {
    if (typeof line !== "string") throw new Error(`expected text for the metadata \`${name}\``);
    return line;
  });
}

function speaksTls(caller: CallerDescription): boolean {
  return (
    caller.tls ??
    [caller.principal, caller.dnsName, caller.subject, caller.fingerprint, caller.sni].some(
      (each) => each !== undefined,
    )
  );
}

function spiffeUri(principal: string): string {
  return principal.includes("://") ? principal : `spiffe://${principal}`;
}

function contextExtensions(workload: WorkloadDescription): Record<string, string> {
  const { labels, ...rest } = workload;
  const keys = ["workload", "namespace", "kind", "gateway", "service"] as const;
  const said = keys.flatMap((key) => (rest[key] === undefined ? [] : [[`garita.dev/${key}`, rest[key]] as const]));
  return Object.fromEntries(labels === undefined ? said : [...said, ["garita.dev/labels", JSON.stringify(labels)]]);
}

function socketAddress(address: string, port: number) {
  return {
    address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
  } as const;
}

function httpRequest(http: HttpDescription, tls: boolean) {
  const protocol = http.protocol ?? "HTTP/1.1";
  const method = http.method ?? "GET";
  const path = http.path ?? "/";
  const host = http.host ?? "localhost";
  const scheme = tls ? "https" : "http";
  const pseudo = [
    [":authority", host],
    [":path", path],
    [":method", method],
    [":scheme", scheme],
  ] as const;
  const lines = [...pseudo, ...headerLines(http)];
  const headers = lines.map(([key, value]) => ({ key: key.toLowerCase(), rawValue: new TextEncoder().encode(value) }));
  return { method, path, host, scheme, protocol, headerMap: { headers } };
}

function attributeMetadata(values: Readonly<Record<string, string>>): CallMetadata {
  const lines = new Map(
    Object.entries(values).map(([name, value]) => [`x-garita-${name}`, [`[${Buffer.from(value).toString("latin1")}]`]]),
  );
  return { get: (name) => lines.get(name) ?? [] };
}
