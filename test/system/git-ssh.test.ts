import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gitRules, gitSettings } from "#test/support/git/git-rules";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { lastingPort } from "#test/support/lasting-port";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** An sshd of the test's own on loopback, that lets one key in. Needs root and the package openssh-server. */
async function sshServer(t: TestContext) {
  const folder = await tempFolder(t);
  for (const name of ["host", "other-host", "client", "stranger"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  }
  const port = await lastingPort();
  const authorized = join(folder, "authorized");
  writeFileSync(authorized, readFileSync(join(folder, "client.pub")), { mode: 0o600 });
  const configuration = join(folder, "sshd_config");
  writeFileSync(
    configuration,
    `ListenAddress 127.0.0.1:${port}
HostKey ${join(folder, "host")}
AuthorizedKeysFile ${authorized}
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin yes
PidFile none
`,
  );
  mkdirSync("/run/sshd", { recursive: true });
  const child = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", configuration], { stdio: "ignore" });
  endsWithTest(t, child);
  await until(() => answers(port), "an answer of sshd");
  const knownHosts = (key: string): string => {
    const file = join(folder, `known ${key}`);
    writeFileSync(file, `[127.0.0.1]:${port} ${readFileSync(join(folder, `${key}.pub`), "utf8")}`);
    return file;
  };
  const credentials = (key: string, host: string) => ({
    ...gitSettings("", "").credentials,
    sshKeyFile: join(folder, key),
    knownHostsFile: knownHosts(host),
  });
  return { url: (path: string) => `ssh://${userInfo().username}@127.0.0.1:${port}${path}`, credentials };
}

test("policies come over ssh by a key and a pinned host; a stranger's key and another host are refused", async (t) => {
  const repository = await testRepository(t);
  const first = await repository.commit({ "a.yaml": allowing("/one") });
  const { url, credentials } = await sshServer(t);
  const rules = await gitRules(t, url(repository.folder), { settings: { credentials: credentials("client", "host") } });
  assert.equal(await rules.load(), "activated", rules.logged());
  assert.equal(rules.commit(), first);
  const next = await repository.commit({ "a.yaml": allowing("/two") });
  await rules.load();
  assert.equal(rules.commit(), next);
  for (const [key, host, message] of [
    ["stranger", "host", /Permission denied/],
    ["client", "other-host", /host key|Host key/],
  ] as const) {
    const refused = await gitRules(t, url(repository.folder), { settings: { credentials: credentials(key, host) } });
    await refused.load();
    assert.equal(refused.code(), "git/unreachable");
    assert.match(refused.status().candidate!.message, message);
  }
});
