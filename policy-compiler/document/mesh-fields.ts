import { fieldTable } from "./read-fields.ts";

/** Every field of Istio's MeshConfig (mesh/v1alpha1, Istio 1.32), in the order of its definition. */
export const meshFields = fieldTable(
  [
    "proxyListenPort",
    "proxyInboundListenPort",
    "proxyHttpPort",
    "connectTimeout",
    "hboneIdleTimeout",
    "protocolDetectionTimeout",
    "tcpKeepalive",
    "ingressClass",
    "ingressService",
    "ingressControllerMode",
    "ingressSelector",
    "enableTracing",
    "accessLogFile",
    "accessLogFormat",
    "accessLogEncoding",
    "enableEnvoyAccessLogService",
    "disableEnvoyListenerLog",
    "defaultConfig",
    "outboundTrafficPolicy",
    "inboundTrafficPolicy",
    "configSources",
    "enableAutoMtls",
    "trustDomain",
    "trustDomainAliases",
    "caCertificates",
    "defaultServiceExportTo",
    "defaultVirtualServiceExportTo",
    "defaultDestinationRuleExportTo",
    "rootNamespace",
    "localityLbSetting",
    "zoneAwareLbSetting",
    "dnsRefreshRate",
    "h2UpgradePolicy",
    "inboundClusterStatName",
    "outboundClusterStatName",
    "certificates",
    "serviceSettings",
    "serviceScopeConfigs",
    "enablePrometheusMerge",
    "verifyCertificateAtClient",
    "ca",
    "extensionProviders",
    "defaultProviders",
    "discoverySelectors",
    "pathNormalization",
    "defaultHttpRetryPolicy",
    "defaultInboundHttpRetryPolicy",
    "meshMTLS",
    "tlsDefaults",
    "defaultTrafficPolicy",
    "serviceEntryVisibility",
  ],
  { meshMTLS: "mesh_mTLS" },
);

/** Every field of Istio's ProxyConfig: what `defaultConfig` may hold. */
export const proxyFields = fieldTable([
  "configPath",
  "binaryPath",
  "serviceCluster",
  "tracingServiceName",
  "drainDuration",
  "discoveryAddress",
  "discoveryRefreshDelay",
  "zipkinAddress",
  "statsdUdpAddress",
  "envoyMetricsServiceAddress",
  "proxyAdminPort",
  "availabilityZone",
  "controlPlaneAuthPolicy",
  "customConfigFile",
  "statNameLength",
  "concurrency",
  "proxyBootstrapTemplatePath",
  "interceptionMode",
  "tracing",
  "sds",
  "envoyAccessLogService",
  "envoyMetricsService",
  "proxyMetadata",
  "runtimeValues",
  "statusPort",
  "extraStatTags",
  "gatewayTopology",
  "terminationDrainDuration",
  "meshId",
  "readinessProbe",
  "proxyStatsMatcher",
  "holdApplicationUntilProxyStarts",
  "caCertificatesPem",
  "image",
  "privateKeyProvider",
  "proxyHeaders",
  "fileFlushInterval",
  "fileFlushMinSizeKb",
  "statsCompression",
  "connectionSettings",
]);

/** Every field of Istio's Topology: what `gatewayTopology` may hold. */
export const topologyFields = fieldTable(["numTrustedProxies", "forwardClientCertDetails", "proxyProtocol"]);

export const pathNormalizationFields = fieldTable(["normalization"]);

/** Every field of an extension provider; all but the name are kinds, of which a provider has one. */
export const extensionProviderFields = fieldTable([
  "name",
  "envoyExtAuthzHttp",
  "envoyExtAuthzGrpc",
  "zipkin",
  "lightstep",
  "datadog",
  "stackdriver",
  "opencensus",
  "skywalking",
  "opentelemetry",
  "prometheus",
  "envoyFileAccessLog",
  "envoyHttpAls",
  "envoyTcpAls",
  "envoyOtelAls",
  "sds",
]);

/** How the value of a provider's option is written. */
export type OptionType = "text" | "duration" | "texts" | "textMap" | "boolean" | "uint32" | "requestBody";

const commonOptions = {
  service: "text",
  port: "uint32",
  timeout: "duration",
  failOpen: "boolean",
  clearRouteCache: "boolean",
  statusOnError: "text",
  includeRequestBodyInCheck: "requestBody",
} as const satisfies Record<string, OptionType>;

/** Options of ext_authz providers over gRPC. */
export const grpcProviderOptions: Readonly<Record<string, OptionType>> = commonOptions;

/** Options of ext_authz providers over HTTP. */
export const httpProviderOptions: Readonly<Record<string, OptionType>> = {
  ...commonOptions,
  pathPrefix: "text",
  includeHeadersInCheck: "texts",
  includeRequestHeadersInCheck: "texts",
  includeAdditionalHeadersInCheck: "textMap",
  headersToUpstreamOnAllow: "texts",
  headersToDownstreamOnDeny: "texts",
  headersToDownstreamOnAllow: "texts",
};

export const requestBodyOptions: Readonly<Record<string, OptionType>> = {
  maxRequestBytes: "uint32",
  allowPartialMessage: "boolean",
  packAsBytes: "boolean",
};
