import assert from "node:assert/strict";
import { test } from "node:test";
import { configCodes } from "#cli/config/codes";
import { readConfig } from "#cli/config/load";
import { type ConfigFaultRow, testConfigFaults } from "#test/support/cli/config-fault";

const grpc = "{ name: a, protocol: grpc, address: '127.0.0.1:1' }";
const rest = "\npolicies: { directory: p }\n";
const http = (more: string, address = "127.0.0.1:1") =>
  `listeners: [{ name: a, protocol: http, address: '${address}', ${more} }]${rest}`;
const admin = (text: string) => `listeners: [${grpc}]${rest}admin: ${text}\n`;

const rows: readonly ConfigFaultRow[] = [
  {
    title: "a blocked range that is none",
    code: "config/value",
    message: /expected `address\/bits`, found `10\.0\.0\.0`/,
    yaml: `listeners: [${grpc}]${rest}jwt: { blockedCidrs: [10.0.0.0/8, ^10.0.0.0] }\n`,
  },
  {
    title: "keys that are dropped before they are refreshed twice",
    code: "config/value",
    message: /`maxStaleSeconds` of 599 is less than twice `refreshSeconds` of 300/,
    yaml: `listeners: [${grpc}]${rest}jwt: { maxStaleSeconds: ^599 }\n`,
  },
  {
    title: "a fit of algorithms that nobody knows",
    code: "config/value",
    message: /expected one of `envoy`, `strict`/,
    yaml: `listeners: [${grpc}]${rest}jwt: { algorithmFit: ^lax }\n`,
  },
  { title: "not YAML", code: "config/syntax", message: /./, yaml: `listeners: [${grpc}^` },
  { title: "a tab", code: "config/syntax", message: /tab/i, yaml: `listeners:\n^\t- ${grpc}${rest}` },
  {
    title: "a key twice",
    code: "config/syntax",
    message: /unique/,
    yaml: `listeners: [${grpc}]\n^listeners: []${rest}`,
  },
  { title: "an alias", code: "config/syntax", message: /alias/, yaml: `listeners: &a [${grpc}]\npolicies: ^*a\n` },
  { title: "an alias that leads nowhere", code: "config/syntax", message: /./, yaml: `listeners: ^*a${rest}` },
  {
    title: "two documents",
    code: "config/syntax",
    message: /document/,
    yaml: `listeners: [${grpc}]${rest}^---\na: 1\n`,
  },
  { title: "an empty file", code: "config/missing-key", message: /`listeners`/, yaml: "^" },
  { title: "a list", code: "config/value", message: /expected an object, found a list/, yaml: "^- a" },
  {
    title: "an unknown key at the top",
    code: "config/unknown-key",
    message: /`listner`/,
    yaml: `listeners: [${grpc}]${rest}^listner: 1\n`,
  },
  {
    title: "an unknown key in a listener",
    code: "config/unknown-key",
    message: /`adress`/,
    yaml: `listeners:\n  - name: a\n    protocol: grpc\n    address: 127.0.0.1:1\n    ^adress: x${rest}`,
  },
  {
    title: "an unknown key in TLS",
    code: "config/unknown-key",
    message: /`ca`/,
    yaml: http("tls: { certificateFile: a, keyFile: b, ^ca: c }"),
  },
  { title: "no policies", code: "config/missing-key", message: /`policies`/, yaml: `^listeners: [${grpc}]\n` },
  {
    title: "no source of policies",
    code: "config/value",
    message: /at least one key/,
    yaml: `listeners: [${grpc}]\npolicies: ^{}\n`,
  },
  { title: "no listener", code: "config/value", message: /at least one item/, yaml: `listeners: ^[]${rest}` },
  {
    title: "a listener without a name",
    code: "config/missing-key",
    message: /`name`/,
    yaml: `listeners: [^{ protocol: grpc, address: '127.0.0.1:1' }]${rest}`,
  },
  {
    title: "a name with a space",
    code: "config/value",
    message: /`a b`/,
    yaml: `listeners: [{ name: ^a b, protocol: grpc, address: '127.0.0.1:1' }]${rest}`,
  },
  {
    title: "an unknown protocol",
    code: "config/value",
    message: /`grpc`, `http`, found `h2`/,
    yaml: `listeners: [{ name: a, protocol: ^h2, address: '127.0.0.1:1' }]${rest}`,
  },
  {
    title: "text for a number",
    code: "config/value",
    message: /whole number, found `5s`/,
    yaml: http("deadlineMillis: ^5s"),
  },
  {
    title: "a deadline of zero",
    code: "config/value",
    message: /from 1 to 600000, found `0`/,
    yaml: http("deadlineMillis: ^0"),
  },
  {
    title: "text for a flag",
    code: "config/value",
    message: /`true` or `false`, found `yes`/,
    yaml: http("explainToClient: ^'yes'"),
  },
  {
    title: "a destination that is no IP address",
    code: "config/value",
    message: /IP address/,
    yaml: http("destination: { address: ^web, port: 1 }"),
  },
  {
    title: "a path prefix without its slash",
    code: "config/value",
    message: /found `check`/,
    yaml: http("pathPrefix: ^check"),
  },
  {
    title: "an empty file name",
    code: "config/value",
    message: /expected text, found none/,
    yaml: http("secretFile: ^''"),
  },
  {
    title: "an address without a port",
    code: "config/address",
    message: /`localhost`/,
    yaml: `listeners: [{ name: a, protocol: grpc, address: ^localhost }]${rest}`,
  },
  {
    title: "a file mode for a TCP address",
    code: "config/address",
    message: /Unix/,
    yaml: http("^socketMode: '0600'"),
  },
  {
    title: "one name twice",
    code: "config/duplicate",
    message: /name `a`/,
    yaml: `listeners: [${grpc}, { name: ^a, protocol: grpc, address: '127.0.0.1:2' }]${rest}`,
  },
  {
    title: "one address twice",
    code: "config/duplicate",
    message: /address/,
    yaml: `listeners: [${grpc}, { name: b, protocol: grpc, address: ^'127.0.0.1:1' }]${rest}`,
  },
  {
    title: "the admin API on a listener's address",
    code: "config/duplicate",
    message: /same address/,
    yaml: admin("{ address: ^'127.0.0.1:1' }"),
  },
  ...["destination: { address: 10.0.0.1, port: 1 }", "pathPrefix: /x", "attributeHeaders: true"].map(
    (more): ConfigFaultRow => ({
      title: `on a gRPC listener ${more}`,
      code: "config/wrong-protocol",
      message: /protocol: http/,
      yaml: `listeners: [{ name: a, protocol: grpc, address: '127.0.0.1:1', ^${more} }]${rest}`,
    }),
  ),
  { title: "a namespace alone", code: "config/workload", message: /alone/, yaml: http("workload: ^{ namespace: n }") },
  {
    title: "labels without a namespace",
    code: "config/workload",
    message: /`namespace`/,
    yaml: http("workload: ^{ labels: {} }"),
  },
  {
    title: "an entry and labels",
    code: "config/workload",
    message: /only one/,
    yaml: http("workload: ^{ workload: w, namespace: n, labels: {} }"),
  },
  {
    title: "a service without its namespace",
    code: "config/value",
    message: /found `s`/,
    yaml: http("workload: { namespace: n, labels: {}, service: ^s }"),
  },
  {
    title: "attribute headers beyond this machine",
    code: "config/needs-proof",
    message: /other machines/,
    yaml: http("attributeHeaders: ^true", "0.0.0.0:1"),
  },
  {
    title: "attribute headers beyond this machine with one-sided TLS",
    code: "config/needs-proof",
    message: /other machines/,
    yaml: http("tls: { certificateFile: a, keyFile: b }, attributeHeaders: ^true", "0.0.0.0:1"),
  },
  {
    title: "reasons for clients beyond this machine",
    code: "config/tells-clients",
    message: /clients/,
    yaml: http("explainToClient: ^true", "[::]:1"),
  },
  {
    title: "allowed clients without their authority",
    code: "config/tls",
    message: /clientCaFile/,
    yaml: http("tls: { certificateFile: a, keyFile: b, ^allowedClients: [x] }"),
  },
  {
    title: "an admin API with nowhere to listen",
    code: "config/value",
    message: /at least one key/,
    yaml: admin("^{}"),
  },
  {
    title: "an admin API open to other machines",
    code: "config/admin-exposed",
    message: /0\.0\.0\.0/,
    yaml: admin("{ address: ^'0.0.0.0:2' }"),
  },
  {
    title: "an admin token in clear text to other machines",
    code: "config/admin-exposed",
    message: /0\.0\.0\.0/,
    yaml: admin("{ address: ^'0.0.0.0:2', tokenFile: t }"),
  },
  {
    title: "an admin API with TLS and without a credential",
    code: "config/admin-exposed",
    message: /./,
    yaml: admin("{ address: ^'0.0.0.0:2', tls: { certificateFile: a, keyFile: b } }"),
  },
  {
    title: "a Unix socket as admin address",
    code: "config/address",
    message: /TCP/,
    yaml: admin("{ address: ^'unix:/x' }"),
  },
  {
    title: "an admin token for a socket",
    code: "config/tls",
    message: /`tokenFile`/,
    yaml: admin("{ socket: s, ^tokenFile: t }"),
  },
];

testConfigFaults(rows);

test("a mistyped key gets a suggestion", async () => {
  const result = await readConfig(`listners: [${grpc}]${rest}`, "g", {});
  assert.ok(!result.ok);
  assert.deepEqual(
    result.findings.filter(({ code }) => code === "config/unknown-key").map(({ help }) => help),
    ["did you mean `listeners`?"],
  );
});

test("every code has a case here, but for those of other tests", () => {
  const elsewhere = [
    "config/missing",
    "config/unreadable",
    "config/environment",
    "config/ca-plaintext",
    "config/ca-names",
    "config/ca-admins",
    "config/revocations",
    "config/webhook-plaintext",
  ];
  const seen = new Set<string>([...rows.map(({ code }) => code), ...elsewhere]);
  assert.deepEqual([...seen].sort(), Object.keys(configCodes).sort());
});
