import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { type TransportSocket, TransportSocketSchema } from "#platform/envoy-api/gen/envoy/config/core/v3/base_pb";
import {
  type CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType,
  TlsParameters_TlsProtocol,
} from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/common_pb";
import {
  type CommonTlsContext,
  CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "#platform/envoy-api/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";
import { agentSecret, OWN_BUNDLE, OWN_KEY } from "./secret-source.ts";

/**
 * TLS towards other workloads, which have to show a certificate of the trust domain: `peerIdentity: verified`. Own key and bundle come from the agent. Sessions are not
 * resumed: each connection proves its peer by a certificate that is good now, and by the anchors that are in force now.
 */
export function workloadServerTls(alpn: readonly string[]): TransportSocket {
  const context = create(DownstreamTlsContextSchema, {
    commonTlsContext: create(CommonTlsContextSchema, { ...secrets({}), alpnProtocols: [...alpn] }),
    requireClientCertificate: true,
    sessionTicketKeysType: { case: "disableStatelessSessionResumption", value: true },
    disableStatefulSessionResumption: true,
  });
  return tlsSocket(anyPack(DownstreamTlsContextSchema, context));
}

/**
 * TLS towards one other workload: whoever answers has to be `peer`, a SPIFFE ID, compared whole (secure naming). The own certificate is shown. TLS 1.3, because Envoy as a client
 * stops at 1.2 by default, and could not talk there with a leaf whose curve is none of its two: every P-384 leaf. Sessions are not resumed, for the reason of
 * `workloadServerTls`.
 */
export function workloadClientTls(peer: string, alpn: readonly string[]): TransportSocket {
  const exactly = { case: "exact" as const, value: peer };
  const context = create(UpstreamTlsContextSchema, {
    commonTlsContext: create(CommonTlsContextSchema, {
      ...secrets({
        matchTypedSubjectAltNames: [{ sanType: SubjectAltNameMatcher_SanType.URI, matcher: { matchPattern: exactly } }],
      }),
      tlsParams: { tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3 },
      alpnProtocols: [...alpn],
    }),
    maxSessionKeys: 0,
  });
  return tlsSocket(anyPack(UpstreamTlsContextSchema, context));
}

type CommonTls = Exclude<MessageInitShape<typeof CommonTlsContextSchema>, CommonTlsContext>;

/** The SPIFFE validator comes with the bundle; what stands beside it here is merged with it. */
function secrets(beside: MessageInitShape<typeof CertificateValidationContextSchema>): CommonTls {
  return {
    tlsCertificateSdsSecretConfigs: [agentSecret(OWN_KEY)],
    validationContextType: {
      case: "combinedValidationContext",
      value: { defaultValidationContext: beside, validationContextSdsSecretConfig: agentSecret(OWN_BUNDLE) },
    },
  };
}

function tlsSocket(typedConfig: Any): TransportSocket {
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: typedConfig },
  });
}
