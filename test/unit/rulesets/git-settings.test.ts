import assert from "node:assert/strict";
import { test } from "node:test";
import { checkGitSettings } from "#authz/rulesets/git/check-settings";
import { gitEnvironment } from "#authz/rulesets/git/git-environment";
import { parseRemote } from "#authz/rulesets/git/parse-remote";
import { describeRepository } from "#authz/rulesets/git/repository";
import type { GitCredentials } from "#authz/rulesets/git/settings";
import { nextPollMillis } from "#authz/rulesets/poll";
import { gitSettings } from "#test/support/git/git-rules";

const ssh: GitCredentials = { ...gitSettings("", "").credentials, sshKeyFile: "/k", knownHostsFile: "/h" };

test("URLs that git is sent to", () => {
  for (const [url, transport] of [
    ["https://git.example.org/a/b.git", "https"],
    ["https://git.example.org:8443/a", "https"],
    ["http://127.0.0.1:80/a", "http"],
    ["http://[::1]/a", "http"],
    ["ssh://git@git.example.org/a", "ssh"],
    ["git@git.example.org:a/b.git", "ssh"],
    ["host:a", "ssh"],
    ["git@[2001:db8::1]:a", "ssh"],
    ["git://localhost/a", "git"],
    ["file:///srv/a.git", "file"],
    ["/srv/a.git", "file"],
  ] as const) {
    const parsed = parseRemote(url);
    assert.equal(parsed.ok && parsed.remote.transport, transport, url);
    assert.deepEqual(
      checkGitSettings({
        ...gitSettings(url, ""),
        credentials: transport === "ssh" ? ssh : gitSettings("", "").credentials,
      }),
      [],
      url,
    );
  }
});

test("URLs that would be an option, a program, or tell a secret are refused, and not repeated", () => {
  for (const url of [
    "",
    "-u./evil",
    "--upload-pack=touch /tmp/x",
    "ext::sh -c touch% /tmp/x",
    "EXT::x",
    "fd::17/x",
    "transport::address",
    "ssh://-oProxyCommand=touch/x",
    "ssh://a@-oProxyCommand=x/y",
    "ssh://-l@host/y",
    "ssh://git@host/-x",
    "-oProxyCommand=x:y",
    "git@-host:x",
    "git@host:-x",
    "-a@host:x",
    "https://user:hunter2@host/x",
    "https://hunter2@host/x",
    "https://host/x?private_token=hunter2",
    "https://host/x#hunter2",
    "ftp://host/x",
    "http+unix://x/y",
    "file://other/x",
    "relative/path",
    "..",
    "https://host/\nx",
    "https://host/ x",
    "https://",
    "https:// -x",
  ]) {
    const faults = checkGitSettings(gitSettings(url, ""));
    assert.equal(faults[0]?.setting, "url", url);
    assert.ok(!faults[0]!.message.includes("hunter2"), url);
    assert.throws(() => describeRepository(gitSettings(url, "/f"), {}), { code: "git/argument" }, url);
  }
});

test("what others on the way could change is taken with signatures alone, and gets no token", () => {
  const signatures = { mode: "head", allowedSignersFile: "/s", openpgpKeysFile: undefined } as const;
  for (const url of ["http://git.example.org/x", "git://git.example.org/x"]) {
    assert.equal(checkGitSettings(gitSettings(url, ""))[0]?.setting, "url");
    assert.deepEqual(checkGitSettings(gitSettings(url, "", { signatures })), []);
    const credentials = { ...gitSettings("", "").credentials, tokenFile: "/t" };
    assert.equal(checkGitSettings(gitSettings(url, "", { signatures, credentials }))[0]?.setting, "credentials");
  }
  const nobody = { ...signatures, allowedSignersFile: undefined };
  assert.equal(checkGitSettings(gitSettings("/x", "", { signatures: nobody }))[0]?.setting, "signatures");
  assert.equal(checkGitSettings(gitSettings("git@host:x", ""))[0]?.setting, "credentials", "ssh without pinned keys");
});

test("names of branches and tags, and paths, that git could misread are refused", () => {
  for (const name of ["main", "team/next", "v1.0", "a@b", "ünï"]) {
    assert.deepEqual(checkGitSettings(gitSettings("/x", "", { reference: { kind: "branch", name } })), [], name);
  }
  for (const name of [
    "",
    "-x",
    "--upload-pack=x",
    "a..b",
    "a b",
    "a~1",
    "a^{}",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "/a",
    "a/",
    "a//b",
    "a.",
    "a.lock",
    "x.lock/y",
    ".a",
    "a/.b",
    "@",
    "a@{1}",
    "a\nb",
    "x".repeat(201),
  ]) {
    for (const kind of ["branch", "tag"] as const) {
      assert.equal(checkGitSettings(gitSettings("/x", "", { reference: { kind, name } }))[0]?.setting, kind, name);
    }
  }
  for (const path of ["", "a", "a/b c", "ünï", ":(glob)x", "a-b"])
    assert.deepEqual(checkGitSettings(gitSettings("/x", "", { path })), [], path);
  for (const path of ["-x", "--all", "..", "a/../b", "./a", "/a", "a//b", "a/.", "a\nb", "a\0b"]) {
    assert.equal(checkGitSettings(gitSettings("/x", "", { path }))[0]?.setting, "path", path);
  }
});

test("the environment of git has one transport, no prompt, no file of others, and names of files instead of secrets", () => {
  const parsed = parseRemote("ssh://git@host/x");
  assert.ok(parsed.ok);
  const credentials = { ...ssh, sshKeyFile: "/it's a 100% key", knownHostsFile: "/h; touch x" };
  const outside = {
    PATH: "/bin",
    HOME: "/root",
    GIT_SSH: "evil",
    SSH_AUTH_SOCK: "/s",
    LD_PRELOAD: "x",
    AWS_SECRET: "x",
  };
  const environment = gitEnvironment({ remote: parsed.remote, credentials, mirror: "/m", outside });
  assert.deepEqual(
    Object.keys(environment).filter((name) => name in outside),
    ["PATH", "HOME"],
  );
  assert.deepEqual(
    [environment["HOME"], environment["GIT_ALLOW_PROTOCOL"], environment["GIT_TERMINAL_PROMPT"]],
    ["/m", "ssh", "0"],
  );
  const command = environment["GIT_SSH_COMMAND"] ?? "";
  assert.ok(command.startsWith("'ssh' '-F' '/dev/null'"));
  assert.ok(command.includes(`'IdentityFile="/it'\\''s a 100%% key"'`), command);
  assert.ok(command.includes(`'UserKnownHostsFile="/h; touch x"'`), command);
  assert.ok(command.includes("'StrictHostKeyChecking=yes'") && command.includes("'BatchMode=yes'"));
});

test("polls back off after failures, up to ten minutes, and are spread by a tenth", () => {
  const at = (random: number) =>
    [0, 1, 2, 3, 4, 9, 1000].map((failures) => nextPollMillis(60_000, failures, () => random));
  assert.deepEqual(at(0.5), [60_000, 120_000, 240_000, 480_000, 600_000, 600_000, 600_000]);
  assert.deepEqual(at(0), [54_000, 108_000, 216_000, 432_000, 540_000, 540_000, 540_000]);
  assert.equal(
    nextPollMillis(60_000, 0, () => 1),
    66_000,
  );
  assert.equal(
    nextPollMillis(3_600_000, 5, () => 0.5),
    3_600_000,
    "not more often than polls",
  );
});
