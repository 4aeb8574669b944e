import { keyKinds } from "#ca/x509/contract";
import { caDefaults } from "./ca-defaults.ts";
import { type ConfigSchema, integer, object, text } from "./schema-parts.ts";

const daySeconds = 86_400;
const { leaf, issuing, limits } = caDefaults;

const issuer = object(
  "An issuer whose tokens prove who a caller is. Its keys are fetched as those of RequestAuthentication are (`jwt.blockedCidrs` and `jwt.caFile` count); verification is always strict.",
  {
    issuer: text("The `iss` of its tokens, exactly.", { examples: ["https://kubernetes.default.svc.cluster.local"] }),
    audiences: {
      type: "array",
      description: "A token must be for one of them. Unset: `istio-ca`, which sidecars ask for.",
      items: text("An audience."),
      minItems: 1,
    },
    jwksUri: text("Address of its keys. With neither this nor `jwksFile` its discovery document tells."),
    jwksFile: text("A file with its keys, read again when it changes."),
  },
  { required: ["issuer"] },
);

const admin = object(
  "A workload that may administer.",
  {
    spiffeId: text("Its SPIFFE ID, of this trust domain.", { examples: ["spiffe://example.org/ns/ops/sa/console"] }),
    role: text(
      "`auditor` reads; `operator` makes tokens, revokes and rotates too. Backups are made at `socket` alone.",
      {
        enum: ["operator", "auditor"],
      },
    ),
  },
  { required: ["spiffeId", "role"] },
);

/** The `ca` section: the certificate authority. */
export const caSchema: ConfigSchema = object(
  "The certificate authority: issues X.509-SVIDs of one trust domain. `garita ca init` makes its store.",
  {
    trustDomain: text("Name of the trust domain, without `spiffe://`.", { examples: ["example.org"] }),
    store: text(
      "File of the authority's records and encrypted keys. It and its folder are for the service's user alone.",
      { examples: ["/var/lib/garita/ca.sqlite"] },
    ),
    keyEncryptionKeyFile: text(
      "A file (mode 0600) with the secret that encrypts the authority's keys. Unset: the environment variable `GARITA_CA_KEY_ENCRYPTION_KEY`. Without it nothing can be signed: keep it apart from backups of `store`.",
    ),
    serverNames: {
      type: "array",
      description:
        "DNS names and IP addresses in the authority's own server certificate: what clients write in `CA_ADDR` or in a URL. Needed with `grpc` or `http`.",
      items: text("A DNS name or IP address.", { examples: ["istiod.istio-system.svc", "10.0.0.5"] }),
    },
    grpc: object(
      "Istio's `CreateCertificate` for sidecars, and the trust bundle by Envoy's SDS for whoever brings a certificate.",
      {
        address: text("Where to listen: `host:port` or `[IPv6]:port`.", { examples: ["0.0.0.0:15012"] }),
        plaintext: { type: "boolean", description: "No TLS. On a loopback address only.", default: false },
        sdsKeys: {
          type: "boolean",
          description:
            "Make private keys for callers that ask for their own by SDS, and send them over the network, to the proven identity alone. Better is an agent on each machine, whose keys never leave it.",
          default: false,
        },
      },
      { required: ["address"] },
    ),
    http: object(
      "The JSON API over HTTPS: certificates, bundle, and administration for `admins`.",
      { address: text("Where to listen: `host:port` or `[IPv6]:port`.", { examples: ["0.0.0.0:15443"] }) },
      { required: ["address"] },
    ),
    socket: text(
      "Path of a Unix socket (mode 0600) with the whole JSON API: who can open it is the operator. `garita ca` asks it. Its folder must exist.",
      { examples: ["/run/garita/ca.sock"] },
    ),
    admins: {
      type: "array",
      description: "Workloads that may administer over `http`, by the certificate that they bring.",
      items: admin,
    },
    issuers: {
      type: "array",
      description: "Issuers of tokens with which callers ask for certificates.",
      items: issuer,
    },
    leaf: object("Certificates of workloads.", {
      defaultTtlSeconds: integer(
        "Lifetime where neither the request nor the registration says one, in seconds.",
        60,
        90 * daySeconds,
        leaf.defaultTtlSeconds,
      ),
      maxTtlSeconds: integer(
        "A request for more is refused. A registration's own limit may be lower.",
        60,
        90 * daySeconds,
        leaf.maxTtlSeconds,
      ),
      minTtlSeconds: integer(
        "When the authority's own certificate ends sooner than this, nothing is issued.",
        60,
        daySeconds,
        leaf.minTtlSeconds,
      ),
      jitterPercent: integer(
        "Each lifetime is shortened by a random part, so much at most, so that not all renew at once.",
        0,
        50,
        leaf.jitterPercent,
      ),
      backdateSeconds: integer(
        "Certificates begin so long before they are issued, for clocks that are behind.",
        0,
        3600,
        leaf.backdateSeconds,
      ),
    }),
    issuing: object("The issuing authority, which signs certificates of workloads and is replaced at half its life.", {
      keyKind: text("Kind of its key. RSA is many times slower to sign with.", {
        enum: [...keyKinds],
        default: issuing.keyKind,
      }),
      lifetimeSeconds: integer(
        "Lifetime, in seconds. At least twice `leaf.defaultTtlSeconds`.",
        daySeconds,
        3650 * daySeconds,
        issuing.lifetimeSeconds,
      ),
    }),
    csrNames: text(
      "Names in a request that are not the identity's: `ignore` passes over them and notes them in the record, `strict` refuses the request.",
      { enum: ["ignore", "strict"], default: caDefaults.csrNames },
    ),
    renewalGraceSeconds: integer(
      "So long after its end a certificate still proves its holder, for a renewal of the very same key and for nothing else: for machines that were off. Its chain must verify as of its end, and it must not be revoked. 0: not at all.",
      0,
      30 * daySeconds,
      caDefaults.renewalGraceSeconds,
    ),
    limits: object("How much is asked at most; what is over it is told to come again.", {
      perAddressPerSecond: integer("Requests of one address in a second.", 1, 1_000_000, limits.perAddressPerSecond),
      perAddressBurst: integer("So many at once, when it was silent before.", 1, 1_000_000, limits.perAddressBurst),
      perCallerPerSecond: integer("Requests of one caller in a second.", 1, 1_000_000, limits.perCallerPerSecond),
      perCallerBurst: integer("So many at once, when it was silent before.", 1, 1_000_000, limits.perCallerBurst),
      inFlight: integer("Requests that are worked on at a time.", 1, 100_000, limits.inFlight),
      waiting: integer("Requests that may wait for that.", 0, 1_000_000, limits.waiting),
    }),
    blockedKeysFile: text(
      "SHA-256 of SubjectPublicKeyInfos, hex, one a line: keys that are known to be compromised. Read again when it changes.",
    ),
  },
  { required: ["trustDomain", "store"] },
);
