import { caSchema } from "./ca-schema.ts";
import { gitSchema } from "./git-schema.ts";
import { jwtDefaults } from "./jwt-defaults.ts";
import { revocationsSchema } from "./revocations-schema.ts";
import { type ConfigSchema, flag, integer, object, text } from "./schema-parts.ts";

/**
 * THE description of `garita.yaml`, as JSON Schema (draft-07, the dialect of editors): it checks files, completes them in editors
 * (`docs/garita.schema.json`) and is the source of `docs/config.md`.
 */

const address = text(
  "Where to listen: `host:port`, `[IPv6]:port`, or `unix:/path`. Port 0 lets the system choose one, which the start-up log and the status page tell.",
  { examples: ["127.0.0.1:9191", "[::1]:9191", "unix:/run/garita/authz.sock"] },
);

const tls = object(
  "TLS for this listener. The files are read again when they change and on SIGHUP.",
  {
    certificateFile: text("PEM: the server's certificate, then its intermediates."),
    keyFile: text("PEM: the private key of the certificate."),
    clientCaFile: text(
      "PEM: authorities of client certificates. When given, every client must present a certificate of theirs (mutual TLS).",
    ),
    allowedClients: {
      type: "array",
      description:
        "URI or DNS names, one of which a client's certificate must carry, compared exactly. Without the list every client of `clientCaFile` is let in.",
      items: text("A URI or DNS name.", { examples: ["spiffe://example.org/ns/edge/sa/envoy"] }),
      minItems: 1,
    },
  },
  { required: ["certificateFile", "keyFile"] },
);

const workload = object(
  "The workload that requests of this listener ask about, for proxies that cannot say it themselves. `namespace` with `labels` (`{}` for none) describes a workload completely; `workload` names an entry of the registry. What a request says goes first.",
  {
    workload: text("Name of a WorkloadEntry."),
    namespace: text("Namespace of the workload. Alone it is not enough."),
    labels: {
      type: "object",
      description: "Labels of the workload.",
      additionalProperties: { type: "string", description: "Value of the label." },
    },
    kind: text("What asks: a proxy beside a workload, a gateway by labels, a Gateway API gateway, or a waypoint.", {
      enum: ["sidecar", "gateway", "k8s-gateway", "waypoint"],
      default: "sidecar",
    }),
    gateway: text("Name of its Gateway, for `k8s-gateway` and `waypoint`."),
    service: text("A waypoint's target, as `namespace/name`.", { pattern: "^[^/]+/[^/]+$" }),
  },
  { minProperties: 1 },
);

const listener = object(
  "One address where proxies ask.",
  {
    name: text("Name in logs, metrics and status. Unique.", { pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" }),
    protocol: text("Envoy's gRPC service (`envoy.service.auth.v3.Authorization`) or its HTTP service.", {
      enum: ["grpc", "http"],
    }),
    address,
    tls,
    peerIdentity: text(
      "Whether the asking Envoy verifies client certificates. `verified`: it does, and identities are believed. `none`: it does not, and there are none. Unset: each request has to show it.",
      { enum: ["verified", "none"] },
    ),
    proxyProtocol: flag(
      "The asking Envoy takes addresses from a PROXY protocol header, so that the peer's address is not that of the connection.",
    ),
    workload,
    destination: object(
      "HTTP only: the address and port that the asking Envoy listens on, which an HTTP request cannot tell.",
      {
        address: text("An IP address."),
        port: integer("The port.", 1, 65535),
      },
      { required: ["address", "port"] },
    ),
    pathPrefix: text("HTTP only: what Envoy puts in front of the path (`path_prefix`), to be taken off again.", {
      pattern: "^/[^?#\\s]*$",
    }),
    attributeHeaders: flag(
      "HTTP only: believe the `x-garita-*` headers that Envoy was told to add (identity, addresses). Beyond this machine it demands mutual TLS or `secretFile`.",
    ),
    upstreamHeaders: {
      type: "array",
      description:
        "HTTP only: the request headers that an answer may set: claims of tokens, headers of CUSTOM providers. A request that would need another one is denied. Envoy's `allowed_upstream_headers` must hold them all, in lower case: of a name that it lacks, a client's own copy would pass.",
      items: text("A header's name.", { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }),
    },
    secretFile: text(
      "A file with a secret that Envoy must present in `x-garita-secret` (HTTP: a header that it adds; gRPC: `initial_metadata`).",
    ),
    explainToClient: flag(
      "Denied clients are told the decision and its reason (`x-garita-decision`, `x-garita-reason`). For development: refused on an address that other machines reach.",
    ),
    explainToClientForce: flag("Allows `explainToClient` on an address that other machines reach."),
    deadlineMillis: integer(
      "Time for a decision when the call brings no shorter limit, in milliseconds.",
      1,
      600_000,
      5_000,
    ),
    maxMessageBytes: integer(
      "Larger messages (gRPC) or bodies (HTTP) are answered with a denial.",
      1024,
      32 * 1024 * 1024,
      16 * 1024 * 1024,
    ),
    socketMode: text("Unix socket only: its file mode, in octal.", { pattern: "^0?[0-7]{3}$", default: "0660" }),
  },
  { required: ["name", "protocol", "address"] },
);

const jwt = object(
  "How tokens are verified, and how the keys of issuers are fetched, for RequestAuthentication. Everything applies on reload.",
  {
    algorithmFit: text(
      "`envoy`: what Envoy accepts, which lets the type of the key decide where the token's `alg` says something else. `strict`: the `alg` must fit the key's type and curve, `crit` is refused, `exp` is required; tokens that Istio lets pass are refused then.",
      { enum: ["envoy", "strict"], default: jwtDefaults.algorithmFit },
    ),
    maxTokenBytes: integer(
      "Longer tokens are refused unread. The default is more than an Envoy with default limits lets pass.",
      1024,
      1024 * 1024,
      jwtDefaults.maxTokenBytes,
    ),
    cache: object("Verified tokens that are remembered, so that a signature is checked once.", {
      maxEntries: integer("So many tokens at most. 0: none.", 0, 10_000_000, jwtDefaults.cache.maxEntries),
      maxBytes: integer(
        "So much memory at most, as estimated from tokens and their claims.",
        0,
        16 * 1024 * 1024 * 1024,
        jwtDefaults.cache.maxBytes,
      ),
    }),
    refreshSeconds: integer(
      "Keys are fetched anew after so long, up to a fifth earlier. An issuer's `Cache-Control: max-age` moves this, between a minute and 20 minutes (Istio's interval) or `refreshSeconds`, whichever is more.",
      10,
      86_400,
      jwtDefaults.refreshSeconds,
    ),
    maxStaleSeconds: integer(
      "Keys that could not be refreshed for so long are dropped, and tokens of their issuer refused. The default is Istio's. At least twice `refreshSeconds`.",
      60,
      7 * 86_400,
      jwtDefaults.maxStaleSeconds,
    ),
    blockedCidrs: {
      type: "array",
      description:
        "Blocks of addresses from which no keys are fetched, beside those that never are (link-local, metadata services of clouds, multicast, unspecified). Looked at when a connection is made, so that names count too; behind a proxy (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` of the environment) only addresses that are written as such.",
      items: text("A block.", { examples: ["10.0.0.0/8", "fd00::/8"] }),
    },
    caFile: text(
      "PEM: authorities of issuers' servers, beside those that Node trusts (`NODE_EXTRA_CA_CERTS` and `NODE_USE_SYSTEM_CA=1` count).",
    ),
  },
);

export const configSchema: ConfigSchema = object(
  "Configuration of `garita serve`. Paths of files are relative to this file.",
  {
    listeners: {
      type: "array",
      description: "Where proxies ask.",
      items: listener,
      minItems: 1,
    },
    policies: object(
      "Where the policies come from: a folder, or a repository.",
      {
        directory: text(
          "A folder of Istio documents with `mesh.yaml` at its root. It is watched: an edit is in force within a second, one with an error changes nothing.",
        ),
        git: gitSchema,
      },
      { minProperties: 1, maxProperties: 1 },
    ),
    admin: object(
      "The admin API: health, metrics, status, explanations, reload.",
      {
        address: text(
          "Where to listen on TCP. On a loopback address, without credentials, it answers reads only, and only to requests whose Host is that address. Beyond this machine it demands `tls`, and `tokenFile` or `tls.clientCaFile`.",
          { examples: ["127.0.0.1:9190"] },
        ),
        socket: text(
          "Path of a Unix socket (mode 0600) that takes reads and writes, for `garita explain --admin unix:PATH`. Its folder must exist, as with the systemd unit.",
          {
            examples: ["/run/garita/admin.sock"],
          },
        ),
        tls,
        tokenFile: text("A file with a bearer token: who presents it may read and write at `address`."),
      },
      { minProperties: 1 },
    ),
    jwt,
    ca: caSchema,
    revocations: revocationsSchema,
    logging: object("The log: JSON lines on standard output.", {
      level: text("Lines below this level are not written. Denials are written at `info`.", {
        enum: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
        default: "info",
      }),
    }),
  },
  { required: ["listeners", "policies"] },
);

/** The schema as a file for editors. */
export function renderSchemaFile(): string {
  const file = {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "garita.yaml",
    ...configSchema,
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
