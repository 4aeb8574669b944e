import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";
import { createLog } from "#platform/log";
import { envoyOrSkip } from "#test/support/envoy/find-envoy";
import { lastingPort } from "#test/support/lasting-port";
import { afterAll } from "#test/support/service/after-all";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { type StartedTrial, startTrial } from "#tools/start-trial";
import { type Trial, trials } from "#tools/trials";

/** What the README has a newcomer paste, pasted: against a copy of the example on free ports. */
const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));
const readme = await readFile(join(repository, "README.md"), "utf8");
const anyPort = { GARITA_LISTENERS__0__ADDRESS: "127.0.0.1:0", GARITA_LISTENERS__1__ADDRESS: "127.0.0.1:0" };
const environment = { ...anyPort, GARITA_ADMIN__ADDRESS: "127.0.0.1:0", GARITA_LOGGING__LEVEL: "silent" };

for (const [name, trial] of Object.entries(trials)) {
  test(`${name}: the README and the example say what is printed`, async () => {
    if (name === "jwt")
      for (const line of trial.lines("127.0.0.1:9192")) assert.ok(readme.includes(`\n${line}\n`), line);
    assert.ok(readme.includes(trial.note?.replace(/\.$/, "") ?? ""), trial.note);
    assert.match(readme, /In another terminal, in the repository's folder/);
    const { listeners } = parse(await readFile(join(repository, "examples", trial.example, "garita.yaml"), "utf8"));
    const asked = listeners.find(({ name }: { name: string }) => name === "try");
    assert.equal(asked.address, "127.0.0.1:9192");
    assert.equal(asked.workload.namespace, trial.workload.namespace);
    assert.equal(asked.workload.workload, trial.workload.name);
  });
}

/** A copy of the example whose provider listens at a port that is free. */
async function started(t: TestContext, trial: Trial, envoyPort: number | undefined) {
  const root = await mkdtemp(join(tmpdir(), "garita-trial-"));
  afterAll(t, () => rm(root, { recursive: true, force: true }));
  await cp(join(repository, "examples", trial.example), join(root, "examples", trial.example), { recursive: true });
  let issuerPort = trial.issuerPort;
  if (issuerPort !== undefined) {
    const policy = join(root, "examples/jwt/policies/shop");
    const free = await lastingPort();
    for (const file of ["authentication.yaml", "authorization.yaml"]) {
      const text = await readFile(join(policy, file), "utf8");
      assert.ok(text.includes(`localhost:${issuerPort}`));
      await writeFile(join(policy, file), text.replaceAll(`localhost:${issuerPort}`, `localhost:${free}`));
    }
    issuerPort = free;
  }
  const running = await startTrial(
    { ...trial, ...(issuerPort === undefined ? {} : { issuerPort }) },
    { root, environment, log: createLog({ level: "silent" }), envoyPort, tell: () => undefined },
  );
  t.after(() => running.stop());
  return { running, root, issuerPort };
}

/** Pastes lines into a shell; what each curl that is for people printed. */
async function paste(lines: readonly string[], root: string): Promise<readonly string[]> {
  const commands = lines.map((line) => line.replace(/ +# .*$/, ""));
  const script = commands.map((line) => (line.startsWith("curl") ? `${line} -s; echo; echo =====` : line));
  const { stdout } = await run("sh", ["-c", script.join("\n")], { cwd: root });
  return stdout.split("=====\n").slice(0, -1);
}

const pasted = ({ address, lines }: StartedTrial, trial: Trial, issuerPort?: number) => {
  const wanted = trial.lines(address);
  for (const line of wanted) assert.ok(lines.includes(`  ${line}`), "it is printed");
  return wanted.map((line) => line.replaceAll(`localhost:${trial.issuerPort}`, `localhost:${issuerPort}`));
};

test("the five commands about tokens do what they say", async (t) => {
  const { running, root, issuerPort } = await started(t, trials.jwt, undefined);
  const [nobody, alice, nonsense, ...more] = await paste(pasted(running, trials.jwt, issuerPort), root);
  assert.equal(more.length, 0);
  assert.match(nobody!, /^HTTP\/1.1 403 [\s\S]*x-garita-reason: policy\/not-allowed[\s\S]*\nRBAC: access denied\n/);
  assert.match(alice!, /^HTTP\/1.1 200 [\s\S]*\nx-user: alice\r\n[\s\S]*authorization/);
  assert.match(nonsense!, /^HTTP\/1.1 401 [\s\S]*www-authenticate: Bearer realm=/);
  const { stdout } = await run(process.execPath, [
    ...[join(repository, "cli/main.ts"), "jwks", "show", join(root, "examples/jwt/policies")],
    ...["--config", join(root, "examples/jwt/garita.yaml")],
  ]);
  assert.match(stdout, new RegExp(`^https://localhost:${issuerPort}  1 key\n`));
});

test("the same through an Envoy: the application greets the user", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  const { running, root, issuerPort } = await started(t, trials.jwt, 0);
  const [nobody, alice, nonsense] = await paste(pasted(running, trials.jwt, issuerPort), root);
  assert.match(nobody!, /^HTTP\/1.1 403 /);
  assert.match(alice!, /^HTTP\/1.1 200 [\s\S]*\nHello, alice!\n/);
  assert.match(nonsense!, /^HTTP\/1.1 401 [\s\S]*www-authenticate: Bearer realm=/);
});

test("npm start where a port is taken: how to choose another", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const address = { GARITA_LISTENERS__1__ADDRESS: `127.0.0.1:${port}` };
  const refused = await run(process.execPath, [join(repository, "tools/start.ts")], {
    env: { ...process.env, ...environment, ...address },
  }).catch((fault: { readonly stderr: string; readonly code: number }) => fault);
  assert.equal("code" in refused && refused.code, 1);
  assert.match(refused.stderr, new RegExp(`:${port}.*\n.*GARITA_LISTENERS__0__ADDRESS=.*GARITA_ADMIN__ADDRESS`));
});

test("npm start: the first two lines, and Ctrl-C", async (t) => {
  const child = spawn(process.execPath, [join(repository, "tools/start.ts")], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  endsWithTest(t, child);
  let printed = "";
  const ended = once(child, "exit");
  for await (const chunk of child.stdout!) {
    printed += chunk;
    if (!printed.includes("Ctrl-C ends it.")) continue;
    const [hello, admin] = await paste(
      printed
        .split("\n")
        .filter((line) => line.startsWith("  curl"))
        .map((line) => line.trim()),
      repository,
    );
    assert.match(hello!, /^HTTP\/1.1 200 /);
    assert.match(admin!, /^HTTP\/1.1 403 [\s\S]*policy\/denied by ns\[hello\]-policy\[hello-admin\]-rule\[0\]/);
    child.kill("SIGINT");
    break;
  }
  assert.deepEqual(await ended, [0, null]);
});
