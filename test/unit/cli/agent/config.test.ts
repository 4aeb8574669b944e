import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readAgentConfig } from "#cli/agent/load-config";

const minimal = `
authority: { address: "ca.example:15012" }
stateFolder: state
identities:
  - spiffeId: spiffe://t.example/ns/shop/sa/web
    socket: web.sock
    joinTokenFile: token
`;

async function configOf(text: string, environment: Record<string, string> = {}) {
  const read = await readAgentConfig(text, "/etc/garita/agent.yaml", environment);
  assert.ok(read.ok, JSON.stringify(read.ok ? "" : read.findings));
  return read.config;
}

describe("a configuration of the agent", () => {
  it("gets every default, and paths from its folder", async () => {
    const { identities, ...rest } = await configOf(minimal);
    assert.deepEqual(rest, {
      authority: {
        address: { kind: "tcp", host: "ca.example", port: 15012 },
        serverName: undefined,
        serverSpiffeId: "spiffe://t.example/garita/ca",
      },
      trustDomain: "t.example",
      stateFolder: "/etc/garita/state",
      statusSocket: undefined,
      logging: { level: "info" },
    });
    const [{ spiffeId, ...identity }] = identities as [(typeof identities)[0]];
    assert.equal(spiffeId.toString(), "spiffe://t.example/ns/shop/sa/web");
    assert.deepEqual(identity, {
      keyKind: "P-256",
      ttlSeconds: undefined,
      socket: "/etc/garita/web.sock",
      socketMode: 0o660,
      attestation: { kind: "join-token", file: "/etc/garita/token" },
      files: undefined,
    });
  });

  it("counts in every key, and the environment before it", async () => {
    const { authority, identities, logging } = await configOf(
      `
authority: { address: "10.0.0.5:15012", serverName: istiod, serverSpiffeId: "spiffe://t.example/ca", bundleFile: roots.pem }
stateFolder: /var/lib/agent
statusSocket: /run/agent/status.sock
identities:
  - spiffeId: spiffe://t.example/web
    socket: /run/agent/web.sock
    socketMode: "0600"
    jwtFile: token.jwt
    keyKind: RSA-2048
    ttlSeconds: 3600
    files: { folder: /etc/web, key: k.pem, chain: c.pem, bundle: b.pem, keyMode: "0640", mode: "0444", reload: { command: [systemctl, reload, web], timeoutSeconds: 5 } }
`,
      { GARITA_LOGGING__LEVEL: "debug" },
    );
    assert.deepEqual(
      [authority.serverName, authority.serverSpiffeId, logging.level],
      ["istiod", "spiffe://t.example/ca", "debug"],
    );
    const [{ spiffeId: _, ...identity }] = identities as [(typeof identities)[0]];
    assert.deepEqual(identity, {
      keyKind: "RSA-2048",
      ttlSeconds: 3600,
      socket: "/run/agent/web.sock",
      socketMode: 0o600,
      attestation: {
        kind: "jwt",
        file: "/etc/garita/token.jwt",
        roots: { kind: "file", file: "/etc/garita/roots.pem" },
      },
      files: {
        folder: "/etc/web",
        names: { key: "k.pem", chain: "c.pem", bundle: "b.pem" },
        keyMode: 0o640,
        mode: 0o444,
        reload: { command: ["systemctl", "reload", "web"], timeoutMillis: 5_000 },
      },
    });
  });
});

const second = `  - { spiffeId: "spiffe://t.example/db", socket: db.sock, joinTokenFile: token2 }`;
const wrong: readonly (readonly [what: string, text: string, fault: RegExp])[] = [
  ["a key that does not exist", `${minimal}proxy: x\n`, /^config\/unknown-key 8:1/],
  [
    "a Unix socket as the authority",
    minimal.replace("ca.example:15012", "unix:/run/ca.sock"),
    /^config\/address 2:23 not a TCP address/,
  ],
  [
    "an ID that is none",
    minimal.replace("spiffe://t.example/ns/shop/sa/web", "web"),
    /^config\/value 5:\d+ expected the SPIFFE ID of a workload/,
  ],
  ["a trust domain's own ID", minimal.replace("/ns/shop/sa/web", ""), /^config\/value 5:/],
  ["another trust domain", minimal + second.replace("t.example", "u.example"), /another trust domain/],
  [
    "an authority of another trust domain",
    minimal.replace('15012"', '15012", serverSpiffeId: "spiffe://u.example/ca"'),
    /^config\/value 2:/,
  ],
  [
    "two ways to trust",
    minimal.replace('15012"', `15012", bundleFile: a, rootFingerprint: "${"a".repeat(64)}"`),
    /both say whom to trust/,
  ],
  ["a fingerprint that is none", minimal.replace('15012"', '15012", rootFingerprint: "AB"'), /^config\/value 2:/],
  ["nothing to prove itself with", minimal.replace("    joinTokenFile: token\n", ""), /^config\/missing-key 5:/],
  [
    "two things to prove itself with",
    minimal.replace("token\n", "token\n    jwtFile: jwt\n"),
    /both say how the agent proves itself/,
  ],
  [
    "a token for whoever answers",
    minimal.replace("joinTokenFile: token", "jwtFile: jwt"),
    /would be sent to whoever answers/,
  ],
  [
    "one ID twice",
    `${minimal}${second.replace("/db", "/ns/shop/sa/web")}`,
    /^config\/duplicate 8:\d+ another identity has the same ID/,
  ],
  [
    "one socket twice",
    `${minimal}${second.replace("db.sock", "web.sock")}`,
    /^config\/duplicate 8:\d+ another identity is served at/,
  ],
  ["the status at a socket of an identity", `${minimal}statusSocket: web.sock\n`, /^config\/duplicate 6:/],
  ["a socket path that is too long", minimal.replace("web.sock", "x".repeat(200)), /^config\/address 6:/],
  [
    "a file name that leads elsewhere",
    minimal.replace("token\n", "token\n    files: { folder: /etc/web, key: ../key.pem }\n"),
    /expected the name of a file/,
  ],
  [
    "two files of one name",
    minimal.replace("token\n", "token\n    files: { folder: /etc/web, key: a, chain: a }\n"),
    /something else is written to/,
  ],
  [
    "the files of two identities in one folder, written otherwise",
    `${minimal.replace("token\n", "token\n    files: { folder: /etc/web }\n")}${second.replace(" }", ", files: { folder: /etc/./web/ } }")}`,
    /something else is written to/,
  ],
  ["no identity", `${minimal.slice(0, minimal.indexOf("identities"))}identities: []\n`, /^config\/value/],
];

for (const [what, text, fault] of wrong) {
  it(`${what} is told with its place`, async () => {
    const read = await readAgentConfig(text, "agent.yaml", {});
    assert.ok(!read.ok);
    const told = read.findings.map(({ code, line, column, message }) => `${code} ${line}:${column} ${message}`);
    assert.ok(
      told.some((line) => fault.test(line)),
      told.join("\n"),
    );
  });
}
