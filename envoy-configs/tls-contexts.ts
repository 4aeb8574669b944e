import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type TransportSocket, TransportSocketSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import { SubjectAltNameMatcher_SanType } from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/common_pb";
import {
  type CommonTlsContext,
  CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";

/** PEM files on Envoy's machine. */
export interface KeyPairFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface DownstreamTlsOptions extends KeyPairFiles {
  /** Client certificates must be signed by this CA. Undefined: no client certificate is asked for. */
  readonly clientCa?: string;
  /** With `clientCa`: let in clients that show no certificate at all. One that does not verify is refused either way. */
  readonly clientCertificateOptional?: boolean;
  readonly alpn?: readonly string[];
}

/**
 * TLS towards clients. With `clientCa` Envoy verifies client certificates, which `peerIdentity: verified` on Garita's listener
 * states; without it no client has an identity (`peerIdentity: none`). Without a trusted CA Envoy would ask for no certificate
 * at all, whatever `require_client_certificate` says.
 */
export function downstreamTls(options: DownstreamTlsOptions): TransportSocket {
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: create(CommonTlsContextSchema, {
      ...keyPair(options),
      alpnProtocols: [...(options.alpn ?? [])],
      ...(options.clientCa === undefined ? {} : trustedCa(options.clientCa, undefined)),
    }),
    ...(options.clientCa === undefined ? {} : { requireClientCertificate: options.clientCertificateOptional !== true }),
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: anyPack(DownstreamTlsContextSchema, context) },
  });
}

export interface UpstreamTlsOptions {
  readonly ca: string;
  /** Exact URI SAN, or else DNS SAN, that the server's certificate must hold. */
  readonly serverName: { readonly uri: string } | { readonly dns: string };
  /** What Envoy shows the server. */
  readonly client?: KeyPairFiles;
}

/** TLS towards Garita: its certificate is verified by CA and name, Envoy's own is shown. */
export function upstreamTls(options: UpstreamTlsOptions): TransportSocket {
  const context = create(UpstreamTlsContextSchema, {
    commonTlsContext: create(CommonTlsContextSchema, {
      ...(options.client === undefined ? {} : keyPair(options.client)),
      ...trustedCa(options.ca, options.serverName),
    }),
    sni: "dns" in options.serverName ? options.serverName.dns : "",
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: anyPack(UpstreamTlsContextSchema, context) },
  });
}

type CommonTls = Exclude<MessageInitShape<typeof CommonTlsContextSchema>, CommonTlsContext>;

function keyPair(files: KeyPairFiles): CommonTls {
  return {
    tlsCertificates: [
      {
        certificateChain: { specifier: { case: "filename", value: files.certificate } },
        privateKey: { specifier: { case: "filename", value: files.key } },
      },
    ],
  };
}

function trustedCa(file: string, name: UpstreamTlsOptions["serverName"] | undefined): CommonTls {
  const matchTypedSubjectAltNames =
    name === undefined
      ? []
      : [
          {
            sanType: "uri" in name ? SubjectAltNameMatcher_SanType.URI : SubjectAltNameMatcher_SanType.DNS,
            matcher: { matchPattern: { case: "exact" as const, value: "uri" in name ? name.uri : name.dns } },
          },
        ];
  return {
    validationContextType: {
      case: "validationContext",
      value: { trustedCa: { specifier: { case: "filename", value: file } }, matchTypedSubjectAltNames },
    },
  };
}
