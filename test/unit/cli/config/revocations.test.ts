import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "#cli/config/load";
import { testConfigFaults } from "#test/support/cli/config-fault";

const service = `listeners: [{ name: a, protocol: grpc, address: "127.0.0.1:0" }]
policies: { directory: policies }
`;
const files = `  bundleFile: root-cert.pem
  certificateFile: cert-chain.pem
  keyFile: key.pem
  stateFile: state/deny-list
`;
const revocations = `revocations:
  trustDomain: example.org
  address: ca.example.org:15012
${files}`;

test("what is said of the authority elsewhere is read with its defaults, paths from the file's folder", async () => {
  const read = await readConfig(service + revocations, "/etc/garita/garita.yaml", {});
  assert.ok(read.ok);
  assert.deepEqual(read.config.revocations, {
    trustDomain: "example.org",
    address: { kind: "tcp", host: "ca.example.org", port: 15012 },
    serverName: undefined,
    bundleFile: "/etc/garita/root-cert.pem",
    certificateFile: "/etc/garita/cert-chain.pem",
    keyFile: "/etc/garita/key.pem",
    stateFile: "/etc/garita/state/deny-list",
    required: false,
  });
  const none = await readConfig(service, "/etc/garita/garita.yaml", {});
  assert.ok(none.ok);
  assert.equal(none.config.revocations, undefined);
});

testConfigFaults([
  {
    title: "an authority elsewhere beside an own one",
    code: "config/revocations",
    message: /follows its own deny list/,
    yaml: `${service}^${revocations}ca: { trustDomain: example.org, store: ca.db, socket: ca.sock }\n`,
  },
  {
    title: "a trust domain that is none",
    code: "config/value",
    message: /not a trust domain: `spiffe:\/\/example.org`/,
    yaml: `${service}revocations:\n  trustDomain: ^spiffe://example.org\n  address: ca.example.org:15012\n${files}`,
  },
  {
    title: "an authority at a socket",
    code: "config/address",
    message: /not a TCP address/,
    yaml: `${service}revocations:\n  trustDomain: example.org\n  address: ^unix:/run/ca.sock\n${files}`,
  },
  {
    title: "an authority at port 0",
    code: "config/address",
    message: /not a TCP address/,
    yaml: `${service}revocations:\n  trustDomain: example.org\n  address: ^ca.example.org:0\n${files}`,
  },
  {
    title: "a list that is kept nowhere",
    code: "config/missing-key",
    message: /stateFile/,
    yaml: `${service}${revocations.replace(/ {2}stateFile.*\n/, "").replace("  trust", "  ^trust")}`,
  },
]);
