import { type ConfigFaultRow, testConfigFaults } from "#test/support/cli/config-fault";

const head = "listeners: [{ name: a, protocol: grpc, address: '127.0.0.1:1' }]\npolicies: { directory: p }\n";
const whole = (ca: string) => `${head}ca: ${ca}\n`;
const ca = (more: string) => whole(`{ trustDomain: t.example, store: ca.sqlite, socket: s, ${more} }`);
const named = "serverNames: [ca.example]";

const rows: readonly ConfigFaultRow[] = [
  { title: "no store", code: "config/missing-key", message: /`store`/, yaml: whole("^{ trustDomain: t, socket: s }") },
  {
    title: "no trust domain",
    code: "config/missing-key",
    message: /`trustDomain`/,
    yaml: whole("^{ store: s, socket: s }"),
  },
  {
    title: "no door",
    code: "config/missing-key",
    message: /nobody can ask/,
    yaml: whole("^{ trustDomain: t.example, store: s }"),
  },
  ...["spiffe://t.example", "t.example/ns", "T.example", "t:443"].map(
    (name): ConfigFaultRow => ({
      title: `the trust domain ${name}`,
      code: "config/value",
      message: /not a trust domain/,
      yaml: whole(`{ store: s, socket: s, trustDomain: ^'${name}' }`),
    }),
  ),
  { title: "an unknown key", code: "config/unknown-key", message: /`stor`/, yaml: ca("^stor: x") },
  {
    title: "an address of the gRPC door without a port",
    code: "config/address",
    message: /not a TCP address: `ca`/,
    yaml: ca(`${named}, grpc: { address: ^ca }`),
  },
  {
    title: "a Unix socket as HTTPS door",
    code: "config/address",
    message: /not a TCP address/,
    yaml: ca(`${named}, http: { address: ^'unix:/x' }`),
  },
  {
    title: "a socket path that is too long",
    code: "config/address",
    message: /Unix socket/,
    yaml: whole(`{ trustDomain: t.example, store: s, socket: ^/${"s".repeat(120)} }`),
  },
  {
    title: "clear text for other machines",
    code: "config/ca-plaintext",
    message: /clear text/,
    yaml: ca("grpc: { address: '0.0.0.0:15010', plaintext: ^true }"),
  },
  {
    title: "keys for callers whom no TLS proves",
    code: "config/ca-plaintext",
    message: /no caller has an identity/,
    yaml: ca("grpc: { address: '127.0.0.1:15010', plaintext: true, sdsKeys: ^true }"),
  },
  {
    title: "a gRPC door without a name",
    code: "config/ca-names",
    message: /no name/,
    yaml: whole("^{ trustDomain: t.example, store: s, grpc: { address: '0.0.0.0:15012' } }"),
  },
  {
    title: "an HTTPS door with an empty list of names",
    code: "config/ca-names",
    message: /no name/,
    yaml: ca("http: { address: '0.0.0.0:15443' }, serverNames: ^[]"),
  },
  ...["https://ca", "ca:15012", "*.example", "10.0.0", "fe80::1%eth0", "-a", "a_b"].map(
    (name): ConfigFaultRow => ({
      title: `the server name ${name}`,
      code: "config/value",
      message: /DNS name or an IP address/,
      yaml: ca(`serverNames: [^'${name}']`),
    }),
  ),
  {
    title: "the gRPC door on a listener's address",
    code: "config/duplicate",
    message: /something else listens/,
    yaml: ca(`${named}, grpc: { address: ^'127.0.0.1:1' }`),
  },
  {
    title: "both doors on one address",
    code: "config/duplicate",
    message: /something else listens/,
    yaml: ca(`${named}, grpc: { address: 'h:2' }, http: { address: ^'h:2' }`),
  },
  {
    title: "the socket of the admin API",
    code: "config/duplicate",
    message: /something else listens/,
    yaml: `${head}admin: { socket: /a }\nca: { trustDomain: t.example, store: s, socket: ^/a }\n`,
  },
  {
    title: "administrators without the door that they come by",
    code: "config/ca-admins",
    message: /`http`/,
    yaml: ca("^admins: [{ spiffeId: spiffe://t.example/a, role: operator }]"),
  },
  {
    title: "an unknown role",
    code: "config/value",
    message: /expected one of `operator`, `auditor`, found `root`/,
    yaml: ca(`${named}, http: { address: 'h:2' }, admins: [{ spiffeId: spiffe://t.example/a, role: ^root }]`),
  },
  ...["spiffe://other.example/a", "spiffe://t.example", "a"].map(
    (id): ConfigFaultRow => ({
      title: `the administrator ${id}`,
      code: "config/value",
      message: /SPIFFE ID of the trust domain/,
      yaml: ca(`${named}, http: { address: 'h:2' }, admins: [{ spiffeId: ^'${id}', role: auditor }]`),
    }),
  ),
  {
    title: "an administrator twice",
    code: "config/duplicate",
    message: /another administrator/,
    yaml: ca(
      `${named}, http: { address: 'h:2' }, admins: [{ spiffeId: spiffe://t.example/a, role: auditor }, { spiffeId: ^spiffe://t.example/a, role: operator }]`,
    ),
  },
  {
    title: "an issuer twice",
    code: "config/duplicate",
    message: /another issuer/,
    yaml: ca("issuers: [{ issuer: 'https://i' }, { issuer: ^'https://i' }]"),
  },
  {
    title: "keys in two places",
    code: "config/value",
    message: /both say/,
    yaml: ca("issuers: [{ issuer: i, jwksUri: 'https://i', ^jwksFile: f }]"),
  },
  {
    title: "an address of keys that is none",
    code: "config/value",
    message: /`ftp:\/\/i`/,
    yaml: ca("issuers: [{ issuer: i, jwksUri: ^'ftp://i' }]"),
  },
  {
    title: "an issuer whose keys cannot be found",
    code: "config/value",
    message: /no address/,
    yaml: ca("issuers: [{ issuer: ^kubernetes/serviceaccount }]"),
  },
  {
    title: "an issuer without audiences",
    code: "config/value",
    message: /at least one item/,
    yaml: ca("issuers: [{ issuer: 'https://i', audiences: ^[] }]"),
  },
  {
    title: "a default above the limit",
    code: "config/value",
    message: /`defaultTtlSeconds` of 7200 is more than `maxTtlSeconds` of 3600/,
    yaml: ca("leaf: { defaultTtlSeconds: ^7200, maxTtlSeconds: 3600 }"),
  },
  {
    title: "a limit below the default that is not written",
    code: "config/value",
    message: /`defaultTtlSeconds` of 86400 is more than `maxTtlSeconds` of 3600/,
    yaml: ca("leaf: { maxTtlSeconds: ^3600 }"),
  },
  {
    title: "a floor above the default",
    code: "config/value",
    message: /`minTtlSeconds` of 600 is more than `defaultTtlSeconds` of 300/,
    yaml: ca("leaf: { defaultTtlSeconds: ^300 }"),
  },
  {
    title: "more than 90 days",
    code: "config/value",
    message: /from 60 to 7776000/,
    yaml: ca("leaf: { maxTtlSeconds: ^7776001 }"),
  },
  {
    title: "an issuing authority that ends before what it signs",
    code: "config/value",
    message: /less than twice/,
    yaml: ca("issuing: { lifetimeSeconds: ^100000 }"),
  },
  {
    title: "certificates that outlive half of the issuing authority",
    code: "config/value",
    message: /less than twice/,
    yaml: ca("leaf: { defaultTtlSeconds: ^7776000 }"),
  },
  {
    title: "a kind of key that is not taken",
    code: "config/value",
    message: /`P-256`, .* found `P-521`/,
    yaml: ca("issuing: { keyKind: ^P-521 }"),
  },
  {
    title: "an unknown way with names",
    code: "config/value",
    message: /`ignore`, `strict`, found `lax`/,
    yaml: ca("csrNames: ^lax"),
  },
  { title: "no request in flight", code: "config/value", message: /from 1 to/, yaml: ca("limits: { inFlight: ^0 }") },
];

testConfigFaults(rows);
