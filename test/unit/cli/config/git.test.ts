import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "#cli/config/load";

const read = (git: string) =>
  readConfig(
    `listeners: [{ name: a, protocol: grpc, address: "127.0.0.1:1" }]\npolicies:\n  git: ${git}\n`,
    "/etc/garita/garita.yaml",
    {},
  );

test("policies in Git: defaults are filled in, and paths are read from the file's folder", async () => {
  const result = await read("{ url: /srv/policies.git, folder: state }");
  assert.ok(result.ok && "git" in result.config.policies);
  assert.deepEqual(result.config.policies.git, {
    settings: {
      url: "/srv/policies.git",
      reference: { kind: "default" },
      path: "",
      folder: "/etc/garita/state",
      credentials: {
        sshKeyFile: undefined,
        knownHostsFile: undefined,
        tokenFile: undefined,
        username: "git",
        caFile: undefined,
      },
      timeoutMillis: 60_000,
      maxMirrorBytes: 1024 ** 3,
      pollMillis: 60_000,
      allowForced: false,
      signatures: undefined,
      tests: "report",
    },
    staleness: undefined,
  });
  const more = await read(
    "{ url: git@h:p, folder: /s, tag: v1, path: a/b/, sshKeyFile: k, knownHostsFile: h, maxStaleSeconds: 600, onStale: deny, signatures: { allowedSignersFile: s } }",
  );
  assert.ok(more.ok && "git" in more.config.policies);
  const { settings, staleness } = more.config.policies.git;
  assert.deepEqual(staleness, { maxStaleMillis: 600_000, reaction: "deny" });
  assert.deepEqual([settings.reference, settings.path], [{ kind: "tag", name: "v1" }, "a/b"]);
  assert.deepEqual(settings.signatures, {
    mode: "head",
    allowedSignersFile: "/etc/garita/s",
    openpgpKeysFile: undefined,
  });
  assert.equal(settings.credentials.sshKeyFile, "/etc/garita/k");
});

test("what git could misread, and what contradicts itself, is refused at its place", async () => {
  for (const [git, message] of [
    ['{ url: "ext::sh -c x", folder: s }', /not a URL that git is sent to/],
    ["{ url: /p, folder: s, branch: --upload-pack=x }", /not the name of a branch/],
    ["{ url: /p, folder: s, tag: -x }", /not the name of a tag/],
    ["{ url: /p, folder: s, path: ../x }", /not a folder inside a repository/],
    ["{ url: /p, folder: s, branch: a, tag: b }", /expected a branch or a tag, found both/],
    ["{ url: git@h:p, folder: s }", /ssh needs `sshKeyFile` and `knownHostsFile`/],
    ["{ url: http://h/p, folder: s }", /whoever is between could change policies over http/],
    ["{ url: /p, folder: s, signatures: { mode: every } }", /nobody could sign/],
    ["{ url: /p, folder: s, onStale: deny }", /`onStale` needs `maxStaleSeconds`/],
    ["{ url: /p, folder: s, maxStaleSeconds: 100 }", /less than twice `pollSeconds`/],
  ] as const) {
    const result = await read(git);
    assert.ok(!result.ok, git);
    assert.equal(result.findings.length, 1, JSON.stringify(result.findings));
    assert.equal(result.findings[0]?.code, "config/value");
    assert.match(result.findings[0]!.message, message);
    assert.equal(result.findings[0]?.line, 3);
  }
});
