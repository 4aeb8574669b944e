/** A value of a document. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

const istio = "security.istio.io/v1";
const metadata = (name: string, more: { readonly [name: string]: Json } = {}) => ({ name, namespace: "shop", ...more });

/** A valid policy folder: one document of each kind at least, with every field that means something in one of them. */
export const everyKind: { readonly [file: string]: Json } = {
  "mesh.yaml": {
    trustDomain: "m",
    trustDomainAliases: ["old", "older"],
    rootNamespace: "root",
    pathNormalization: { normalization: "MERGE_SLASHES" },
    defaultConfig: { gatewayTopology: { numTrustedProxies: 1 } },
    extensionProviders: [
      {
        name: "http",
        envoyExtAuthzHttp: {
          service: "asked.example",
          port: 9000,
          timeout: "1s",
          pathPrefix: "/check",
          failOpen: true,
          statusOnError: "503",
          includeRequestHeadersInCheck: ["a", "b"],
          includeAdditionalHeadersInCheck: { x: "1", y: "2" },
          includeRequestBodyInCheck: { maxRequestBytes: 10, allowPartialMessage: true },
          headersToUpstreamOnAllow: ["c", "d"],
          headersToDownstreamOnDeny: ["e", "f"],
          headersToDownstreamOnAllow: ["g", "h"],
        },
      },
      { name: "grpc", envoyExtAuthzGrpc: { service: "asked.example", port: 9001, failOpen: false } },
    ],
  },
  "allow.json": {
    apiVersion: istio,
    kind: "AuthorizationPolicy",
    metadata: metadata("allow", { annotations: { "istio.io/dry-run": "true" } }),
    spec: {
      action: "ALLOW",
      selector: { matchLabels: { app: "cart", tier: "web" } },
      rules: [
        {
          from: [
            {
              source: {
                principals: ["m/ns/a/sa/b", "c*"],
                notPrincipals: ["m/ns/a/sa/c"],
                requestPrincipals: ["iss/sub"],
                notRequestPrincipals: ["iss/other"],
                namespaces: ["a"],
                notNamespaces: ["b"],
                ipBlocks: ["10.0.0.0/8"],
                notIpBlocks: ["10.1.0.0/16"],
                remoteIpBlocks: ["192.0.2.0/24"],
                notRemoteIpBlocks: ["192.0.2.1"],
              },
            },
            { source: { serviceAccounts: ["a/b"], notServiceAccounts: ["a/c"] } },
          ],
          to: [
            {
              operation: {
                hosts: ["a.example"],
                notHosts: ["b.example"],
                ports: ["80"],
                notPorts: ["81"],
                methods: ["GET"],
                notMethods: ["PUT"],
                paths: ["/a", "/{*}"],
                notPaths: ["/b*"],
              },
            },
            { operation: { methods: ["POST"] } },
          ],
          when: [
            { key: "request.headers[x]", values: ["a", "b"], notValues: ["c"] },
            { key: "source.ip", values: ["10.0.0.1"] },
          ],
        },
        { to: [{ operation: { paths: ["/second"] } }] },
      ],
    },
  },
  "gateway.json": {
    apiVersion: istio,
    kind: "AuthorizationPolicy",
    metadata: metadata("gateway"),
    spec: {
      action: "CUSTOM",
      provider: { name: "http" },
      targetRefs: [
        { group: "gateway.networking.k8s.io", kind: "Gateway", name: "one" },
        { group: "", kind: "Service", name: "two" },
      ],
      rules: [{ to: [{ operation: { paths: ["/asked"] } }] }],
    },
  },
  "ours.json": {
    apiVersion: "garita.dev/v1alpha1",
    kind: "AuthorizationPolicy",
    metadata: metadata("ours"),
    spec: {
      action: "DENY",
      rules: [
        {
          cel: ["request.path == '/a'", "request.method == 'GET'"],
          denyResponse: { status: 401, headers: { x: "one", y: { cel: "request.path" } }, body: "no" },
        },
      ],
    },
  },
  "ours-allow.json": {
    apiVersion: "garita.dev/v1alpha1",
    kind: "AuthorizationPolicy",
    metadata: metadata("ours-allow"),
    spec: {
      action: "ALLOW",
      rules: [
        {
          allowResponse: {
            requestHeaders: { x: "one" },
            responseHeaders: { y: "two" },
            dynamicMetadata: { z: { cel: "request.path" } },
          },
        },
      ],
    },
  },
  "tokens.json": {
    apiVersion: istio,
    kind: "RequestAuthentication",
    metadata: metadata("tokens"),
    spec: {
      selector: { matchLabels: { app: "cart" } },
      jwtRules: [
        {
          issuer: "https://a.example",
          audiences: ["one", "two"],
          jwksUri: "https://a.example/keys",
          fromHeaders: [{ name: "x-token", prefix: "Bearer " }, { name: "y-token" }],
          fromParams: ["token", "other"],
          fromCookies: ["session", "second"],
          forwardOriginalToken: true,
          outputPayloadToHeader: "x-payload",
          outputClaimToHeaders: [
            { header: "x-sub", claim: "sub" },
            { header: "x-sub", claim: "azp" },
          ],
          timeout: "5s",
          spaceDelimitedClaims: ["scp", "more"],
        },
        {
          issuer: "https://b.example",
          jwks: '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
        },
      ],
    },
  },
  "tls.json": {
    apiVersion: istio,
    kind: "PeerAuthentication",
    metadata: metadata("tls", { creationTimestamp: "2026-01-01T00:00:00Z" }),
    spec: {
      selector: { matchLabels: { app: "cart" } },
      mtls: { mode: "STRICT" },
      portLevelMtls: { "80": { mode: "DISABLE" }, "81": { mode: "PERMISSIVE" } },
    },
  },
  "workload.json": {
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadEntry",
    metadata: metadata("one", { labels: { version: "v1" } }),
    spec: { address: "10.0.0.1", labels: { app: "cart" }, serviceAccount: "cart", ports: { http: 8080, grpc: 9090 } },
  },
  "service.json": {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: metadata("service"),
    spec: {
      hosts: ["asked.example", "second.example"],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [
        { number: 9000, name: "http", protocol: "HTTP", targetPort: 9100 },
        { number: 9001, name: "grpc", protocol: "GRPC" },
      ],
      endpoints: [
        { address: "10.0.0.2", labels: { app: "a" }, serviceAccount: "a", ports: { http: 9200 } },
        { address: "10.0.0.3", labels: { app: "b" } },
      ],
    },
  },
  "selecting.json": {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: metadata("selecting"),
    spec: {
      hosts: ["selecting.example"],
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      workloadSelector: { labels: { app: "cart" } },
    },
  },
  "registration.json": {
    apiVersion: "garita.dev/v1alpha1",
    kind: "WorkloadRegistration",
    metadata: metadata("registration"),
    spec: {
      spiffeId: "spiffe://m/ns/shop/sa/cart",
      callers: [
        { joinToken: {} },
        { spiffeId: "spiffe://m/ns/shop/sa/ci" },
        { jwt: { issuer: "https://ci.example", claims: { sub: ["a", "b"], "[x][y]": ["c"] } } },
      ],
      dnsNames: ["cart.example", "till.example"],
      keyKinds: ["P-256", "P-384"],
      ttl: { default: "1h", max: "2h" },
    },
  },
};
