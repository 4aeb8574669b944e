import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { CallMetadata, ListenerSettings } from "#authz/check/contract";
import {
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from "../../../platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb.ts";

type CheckRequestInit = MessageInitShape<typeof CheckRequestSchema>;
export type AttributesInit = NonNullable<CheckRequestInit["attributes"]>;

/** A check as a test writes it: what differs from a plaintext GET of `/` by 10.0.0.9 at 10.0.0.1:8080. */
export interface CheckInput {
  readonly method?: string;
  /** `null`: no `:authority` at all. */
  readonly host?: string | null;
  /** Bytes as Latin-1; the message's own `path` has `!` for those beyond ASCII, as Envoy writes it. */
  readonly path?: string;
  readonly protocol?: string;
  /** Bytes as Latin-1. */
  readonly headers?: readonly (readonly [string, string])[];
  /** Joined `headers` instead of `header_map`. */
  readonly joined?: boolean;
  readonly tcp?: boolean;
  readonly source?: { address?: string; principal?: string; certificate?: string };
  readonly destination?: {
    address?: string;
    port?: number;
    principal?: string;
    service?: string;
    labels?: Record<string, string>;
  };
  readonly sni?: string;
  readonly extensions?: Record<string, string>;
  readonly metadata?: Record<string, Record<string, string | readonly string[]>>;
}

/** The bytes that Envoy would send for it. */
export function checkMessage(input: CheckInput = {}): Uint8Array {
  const { source = {}, destination = {} } = input;
  const method = input.method ?? "GET";
  const host = input.host === undefined ? "a.example" : input.host;
  const path = input.path ?? "/";
  const lines: [string, string][] = [
    ...(host === null ? [] : [[":authority", host] as [string, string]]),
    [":path", path],
    [":method", method],
    [":scheme", "http"],
    ...(input.headers ?? []).map(([name, value]): [string, string] => [name, value]),
  ];
  const joined: Record<string, string> = {};
  for (const [name, value] of lines) joined[name] = name in joined ? `${joined[name]},${value}` : value;
  const http = {
    method,
    host: host ?? "",
    path: path.replace(/[^\x20-\x7e]/g, "!"),
    protocol: input.protocol ?? "HTTP/1.1",
    ...(input.joined
      ? { headers: joined }
      : { headerMap: { headers: lines.map(([key, value]) => ({ key, rawValue: Buffer.from(value, "latin1") })) } }),
  };
  const attributes: AttributesInit = {
    source: {
      ...socket(source.address ?? "10.0.0.9", 50000),
      principal: source.principal ?? "",
      certificate: source.certificate ?? "",
    },
    destination: {
      ...socket(destination.address ?? "10.0.0.1", destination.port ?? 8080),
      principal: destination.principal ?? "",
      service: destination.service ?? "",
      labels: destination.labels ?? {},
    },
    contextExtensions: input.extensions ?? {},
    metadataContext: {
      filterMetadata: Object.fromEntries(
        Object.entries(input.metadata ?? {}).map(([namespace, fields]) => [namespace, fields as never]),
      ),
    },
    ...(input.sni === undefined ? {} : { tlsSession: { sni: input.sni } }),
    ...(input.tcp ? {} : { request: { http } }),
  };
  return toBinary(CheckRequestSchema, create(CheckRequestSchema, { attributes }));
}

function socket(address: string, port: number) {
  return {
    address: {
      address: {
        case: "socketAddress" as const,
        value: { address, portSpecifier: { case: "portValue" as const, value: port } },
      },
    },
  };
}

/** An answer as Envoy reads it. */
export interface SeenAnswer {
  readonly allowed: boolean;
  readonly status: number | undefined;
  readonly body: string | undefined;
  /** `name: value`, denied: those for the client; allowed: those for the upstream. */
  readonly headers: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly remove: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

export function seeAnswer(bytes: Uint8Array): SeenAnswer {
  const response: CheckResponse = fromBinary(CheckResponseSchema, bytes);
  const { httpResponse } = response;
  const print = (list: readonly { header?: { key: string; value: string } | undefined }[]) =>
    list.map(({ header }) => `${header?.key}: ${header?.value}`);
  const denied = httpResponse.case === "deniedResponse" ? httpResponse.value : undefined;
  const ok = httpResponse.case === "okResponse" ? httpResponse.value : undefined;
  return {
    allowed: (response.status?.code ?? 0) === 0,
    status: denied?.status?.code,
    body: denied?.body,
    headers: print(denied?.headers ?? ok?.headers ?? []),
    responseHeaders: print(ok?.responseHeadersToAdd ?? []),
    remove: ok?.headersToRemove ?? [],
    metadata: (response.dynamicMetadata ?? {}) as Record<string, unknown>,
  };
}

export function metadataOf(values: Readonly<Record<string, string | readonly string[]>> = {}): CallMetadata {
  return {
    get: (name) => {
      const value = values[name];
      return value === undefined ? [] : typeof value === "string" ? [value] : value;
    },
  };
}

/** Attribute metadata of a peer with these names, as the complete Envoy configuration sends it. */
export function peerMetadata(peer: {
  uris?: string;
  dns?: string;
  subject?: string;
  tls?: string;
  issuer?: string;
}): CallMetadata {
  return metadataOf({
    "x-garita-peer": "[10.0.0.9]",
    "x-garita-remote": "[10.0.0.9]",
    "x-garita-tls": `[${peer.tls ?? "TLSv1.3"}]`,
    "x-garita-uris": `[${peer.uris ?? ""}]`,
    "x-garita-dns": `[${peer.dns ?? ""}]`,
    "x-garita-subject": `[${peer.subject ?? ""}]`,
    "x-garita-issuer": `[${peer.issuer ?? ""}]`,
  });
}

export function listenerOf(changes: Partial<ListenerSettings> = {}): ListenerSettings {
  return {
    name: "main",
    protocol: "grpc",
    peerIdentity: "verified",
    proxyProtocol: false,
    workload: { namespace: "foo", labels: new Map([["app", "httpbin"]]) },
    destination: undefined,
    pathPrefix: "",
    attributeHeaders: false,
    upstreamHeaders: [],
    secret: undefined,
    explainToClient: false,
    deadlineMillis: 1000,
    maxMessageBytes: 1 << 20,
    ...changes,
  };
}
