import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";
import { main } from "#test/support/cli/run-cli";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { tempFolder } from "#test/support/service/temp-folder";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const run = promisify(execFile);

/** The commands of README's section, one a line. */
function commandsOf(heading: string): readonly string[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const section = readme.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
  return [...section.matchAll(/```sh\n([^`]*)```/g)].flatMap(([, block]) => block!.trim().split("\n"));
}

/** A folder that looks like the repository to the commands, and a shell in it whose `npm run -s garita --` and `garita` are this program. */
async function shellOf(t: TestContext) {
  const folder = await tempFolder(t);
  await symlink(join(root, "examples"), join(folder, "examples"));
  await mkdir(join(folder, ".cache"));
  const bin = join(folder, "bin");
  await mkdir(bin);
  for (const [name, args] of [
    ["npm", 'shift 4; exec "$NODE" "$MAIN" "$@"'],
    ["garita", 'exec "$NODE" "$MAIN" "$@"'],
  ] as const) {
    await writeFile(join(bin, name), `#!/bin/sh\n${args}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const env = {
    PATH: [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter),
    HOME: folder,
    NODE: process.execPath,
    MAIN: main,
    GIT_CONFIG_NOSYSTEM: "1",
    GARITA_LISTENERS__0__ADDRESS: "127.0.0.1:0",
    GARITA_LISTENERS__1__ADDRESS: "127.0.0.1:0",
  };
  const sh = (command: string) =>
    run("sh", ["-c", command], { cwd: folder, env }).then(
      ({ stdout, stderr }) => ({ status: 0, out: stdout, err: stderr }),
      ({ code, stdout, stderr }) => ({ status: code as number, out: String(stdout), err: String(stderr) }),
    );
  /** Until then git does not know who commits. */
  const identify = () => writeFile(join(folder, ".gitconfig"), "[user]\n  name = Ada\n  email = ada@example.org\n");
  return { folder, env, sh, identify };
}

/** Answers with the address at which the HTTP listener listens. */
async function serving(t: TestContext, command: string, cwd: string, env: Record<string, string>): Promise<string> {
  const child = spawn("sh", ["-c", `exec ${command}`], { cwd, env, stdio: "pipe" });
  endsWithTest(t, child);
  let text = "";
  const ready = Promise.withResolvers<string>();
  const take = (chunk: Buffer) => {
    text += chunk.toString("utf8");
    const address = /"listener":"try","protocol":"http","address":"([^"]+)"/.exec(text)?.[1];
    if (text.includes('admin.sock","msg":"listening"') && address !== undefined) ready.resolve(address);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.on("close", () => ready.reject(new Error(`it ended: ${text}`)));
  return ready.promise;
}

test("README's five commands: a push is in force, a commit whose test fails is refused", async (t) => {
  const { folder, env, sh, identify } = await shellOf(t);
  const commands = commandsOf("Policies in Git");
  assert.equal(commands.length, 5);
  const [init, copy, push, serve, sync] = commands as [string, string, string, string, string];
  for (const command of [init, copy, push]) assert.deepEqual(await sh(command), { status: 0, out: "", err: "" });
  const assigned = /^GARITA_POLICIES__GIT__URL="\$PWD\/(\S+)" (.*)$/.exec(serve)!;
  const variables = { ...env, GARITA_POLICIES__GIT__URL: join(folder, assigned[1]!) };
  const address = await serving(t, assigned[2]!, folder, variables);
  assert.match((await sh(sync)).out, /^unchanged\nin force: \w{12} the first policies \(Ada\)\n/);

  const [curl, path, name, identity] = /`curl -i http:\/\/127\.0\.0\.1:9192(\S+) -H '([^:]+): ([^']+)'`/.exec(
    readFileSync(join(root, "README.md"), "utf8"),
  )!;
  const asked = (method: string) => fetch(`http://${address}${path}`, { method, headers: { [name!]: identity! } });
  const [look, change] = [await asked("GET"), await asked("PUT")];
  assert.deepEqual([look.status, change.status], [200, 403], curl);
  assert.match(look.headers.get("x-garita-reason") ?? "", / at shop\/cart\.yaml:\d+$/);

  await identify();
  const cart = join(folder, ".cache/policies/policies/shop/cart.yaml");
  const commit = "git -C .cache/policies commit --quiet --all -m edit && git -C .cache/policies push --quiet";
  await writeFile(cart, (await readFile(cart, "utf8")).replace("[PUT, DELETE]", "[PUT, DELETE, PATCH]"));
  const told = await sh("garita diff HEAD --folder .cache/policies/policies");
  assert.match(told.out, /opens: wider: .*\n {4}spec\.rules\[1\]\.to\[0\]\.operation\.methods got PATCH /);
  assert.equal((await sh(commit)).status, 0);
  assert.match((await sh(sync)).out, /^activated\nin force: \w{12} edit \(Ada\)\n/);
  await writeFile(cart, (await readFile(cart, "utf8")).replace("[PUT, DELETE, PATCH]", "[PATCH]"));
  assert.equal((await sh(commit)).status, 0);
  const refused = await sh(sync);
  assert.equal(refused.status, 5);
  assert.match(refused.out, /^refused: .*\nrefused commit: \w{12} edit \(Ada\)\nin force: \w{12} edit \(Ada\)\n/);
});

interface Pipelines {
  readonly github: { readonly jobs: { readonly policies: { readonly steps: readonly { readonly run?: string }[] } } };
  readonly gitlab: { readonly policies: { readonly script: readonly string[] } };
}

test("the pipelines pass what they should, also a request that mends broken policies, and say what it changes", async (t) => {
  const { folder, sh, identify } = await shellOf(t);
  await identify();
  const repository = join(folder, ".cache/policies");
  const read = (path: string): unknown => parse(readFileSync(join(root, "examples/gitops", path), "utf8"));
  const github = read(".github/workflows/policies.yml") as Pipelines["github"];
  const gitlab = read(".gitlab-ci.yml") as Pipelines["gitlab"];
  const steps = {
    github: github.jobs.policies.steps.flatMap(({ run }) => (run?.startsWith("garita ") ? [run] : [])),
    gitlab: gitlab.policies.script,
  };
  assert.deepEqual([steps.github.length, steps.gitlab.length], [3, 3]);
  const environment = "GITHUB_BASE_REF=main GITHUB_STEP_SUMMARY=summary CI_MERGE_REQUEST_DIFF_BASE_SHA=origin/main";
  const pipeline = async (host: keyof typeof steps) => {
    await writeFile(join(folder, "steps.sh"), steps[host].join("\n"));
    // As the runners of both hosts do.
    return sh(`cd .cache/policies && ${environment} bash -eo pipefail ../../steps.sh`);
  };
  const git = "git -C .cache/policies";
  for (const command of commandsOf("Policies in Git").slice(0, 3)) await sh(command);
  const cart = join(repository, "policies/shop/cart.yaml");
  const good = await readFile(cart, "utf8");
  await writeFile(cart, good.replace("[PUT, DELETE]", "[PUT, DELETE, PATCH]"));
  for (const host of ["github", "gitlab"] as const) assert.equal((await pipeline(host)).status, 0);
  for (const told of ["summary", "changes.md"]) {
    assert.match(await readFile(join(repository, told), "utf8"), /methods` got `PATCH`/);
  }
  await writeFile(cart, good.replace("methods", "mehtods"));
  for (const host of ["github", "gitlab"] as const) assert.equal((await pipeline(host)).status, 3);
  await sh(`${git} commit --quiet --all -m broken && ${git} push --quiet`);
  await writeFile(cart, good);
  for (const host of ["github", "gitlab"] as const) {
    const { status, err } = await pipeline(host);
    assert.equal(status, 0, err);
    assert.match(err, /nothing is compared: `origin\/main` is not valid/);
  }
});

test("the hook refuses policies with faults and tests that fail", async (t) => {
  const { folder, sh, identify } = await shellOf(t);
  await identify();
  const git = "git -C .cache/policies";
  const [, copy = ""] = commandsOf("Policies in Git");
  await sh(`${copy} && ${git} config core.hooksPath hooks && ${git} add .`);
  const commit = () => sh(`${git} commit --quiet --all -m edit`);
  assert.equal((await commit()).status, 0);
  const cart = join(folder, ".cache/policies/policies/shop/cart.yaml");
  const good = await readFile(cart, "utf8");
  await writeFile(cart, good.replace("methods", "mehtods"));
  const invalid = await commit();
  assert.equal(invalid.status, 1);
  assert.match(invalid.out + invalid.err, /document\/unknown-field/);
  await writeFile(cart, good.replace("[GET]", "[HEAD]"));
  const failing = await commit();
  assert.equal(failing.status, 1);
  assert.match(failing.out + failing.err, /expected `allow`, found `deny`/);
});

test("the server's hook refuses a push whose policies or tests have faults, and tells what one changes that is taken", async (t) => {
  const { folder, sh, identify } = await shellOf(t);
  await identify();
  const [init = "", copy = "", push = ""] = commandsOf("Policies in Git");
  for (const command of [init, copy]) await sh(command);
  const bare = /(\S+\.git)$/.exec(init)?.[1] ?? "";
  assert.equal((await sh(`cp examples/gitops/hooks/pre-receive ${bare}/hooks/`)).status, 0);
  assert.deepEqual((await sh(push)).status, 0);
  const head = async () => (await sh(`git -C ${bare} rev-parse main`)).out.trim();
  const cart = join(folder, ".cache/policies/policies/shop/cart.yaml");
  const good = await readFile(cart, "utf8");
  const edit = async (from: string, to: string) => {
    await writeFile(cart, good.replace(from, to));
    return sh("cd .cache/policies && git commit --quiet --all --amend -m edit && git push --quiet --force");
  };
  const first = await head();
  assert.match(first, /^[0-9a-f]{40}$/);
  const invalid = await edit("methods", "mehtods");
  assert.match(invalid.err, /remote: .*document\/unknown-field.*pre-receive hook declined/s);
  const failing = await edit("[GET]", "[HEAD]");
  assert.match(failing.err, /remote: .*expected `allow`, found `deny`.*pre-receive hook declined/s);
  assert.equal(await head(), first, "nothing of both was taken");
  const taken = await edit("[PUT, DELETE]", "[PUT, DELETE, PATCH]");
  assert.deepEqual([taken.status, await head()], [0, (await sh("git -C .cache/policies rev-parse HEAD")).out.trim()]);
  assert.match(taken.err, /remote: .*operation\.methods got PATCH/s);
  assert.match(
    taken.err,
    /policies of \w{40}:policies, compared with \w{40}:policies\s/,
    "a name that is one is not told twice",
  );
  await sh(`git -C ${bare} config receive.denyDeleteCurrent ignore`);
  const others = await sh("cd .cache/policies && git push --quiet origin HEAD:other :main");
  assert.equal(others.status, 0, others.err);
});
