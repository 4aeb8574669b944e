import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { cli, main, program } from "#test/support/cli/run-cli";
import { allowing, type TestRepository, testRepository } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

const environment = { PATH: process.env["PATH"] ?? "" };
const described = ["-n", "shop", "--no-labels", "--path", "/one", "--exit-code"] as const;

/** Two commits of `rules/`: `/one` is allowed by the first, tagged `v1`, and not by the second. Their names, and a linked work tree that is at the first. */
async function scene(t: TestContext) {
  const repository = await testRepository(t);
  const { commit, git } = repository;
  const first = await commit({ "rules/a.yaml": allowing("/one"), "rules/deep/b.yaml": allowing("/b", "b") });
  await git("tag", "v1");
  const second = await commit({ "rules/a.yaml": allowing("/two") });
  const linked = join(await tempFolder(t), "linked");
  await git("worktree", "add", "--quiet", "-b", "topic", linked, "v1");
  return { repository, first, second, linked };
}

test("a linked work tree has its own HEAD, asked by its folder, from a subfolder, and as a folder of revisions", async (t) => {
  const { repository, linked } = await scene(t);
  const own = repository.environment;
  for (const [folder, status] of [
    [repository.folder, 10],
    [linked, 0],
  ] as const) {
    const rules = join(folder, "rules");
    const asked = await cli(["eval", rules, "--as-of", "HEAD", ...described], { environment });
    assert.deepEqual([asked.status, asked.err], [status, ""], folder);
    const inside = await program(["eval", ".", "--as-of", "HEAD", ...described], { cwd: rules, environment: own });
    assert.deepEqual([inside.status, inside.err], [status, ""], folder);
    const deeper = await program(["eval", "..", "--as-of", "HEAD:rules", ...described], {
      cwd: join(rules, "deep"),
      environment: own,
    });
    assert.deepEqual([deeper.status, deeper.err], [status, ""], folder);
    const deep = await program(["check", "--as-of", "HEAD"], { cwd: join(rules, "deep"), environment: own });
    assert.deepEqual([deep.status, deep.err], [0, ""]);
  }
  const { status, out } = await program(["diff", "topic", "main", "--exit-code"], {
    cwd: join(linked, "rules"),
    environment: own,
  });
  assert.equal(status, 10);
  assert.match(out, /changed AuthorizationPolicy shop\/a at a\.yaml:3/);
  await writeFile(join(linked, "rules/a.yaml"), allowing("/three"));
  assert.match(
    (await program(["diff", "HEAD", "--folder", "rules"], { cwd: linked, environment: own })).out,
    /\/one.*\/three/s,
  );
});

test("in a bare repository, from inside it too, and in a work tree that is linked to it", async (t) => {
  const { repository } = await scene(t);
  const own = repository.environment;
  const outside = await tempFolder(t);
  const bare = join(outside, "bare.git");
  await repository.git("clone", "--quiet", "--bare", repository.folder, bare);
  for (const [revision, status] of [
    ["v1:rules", 0],
    ["main:rules", 10],
  ] as const) {
    const asked = await program(["eval", "--as-of", revision, ...described], { cwd: bare, environment: own });
    assert.deepEqual([asked.status, asked.err], [status, ""]);
  }
  const compared = await program(["diff", "v1:rules", "main:rules", "--exit-code"], { cwd: bare, environment: own });
  assert.deepEqual([compared.status, compared.err], [10, ""]);
  const linked = join(outside, "linked");
  await repository.git("-C", bare, "worktree", "add", "--quiet", "--detach", linked, "v1");
  const asked = await cli(["eval", join(linked, "rules"), "--as-of", "HEAD", ...described], { environment });
  assert.deepEqual([asked.status, asked.err], [0, ""]);
});

test("in a submodule its own commits are asked", async (t) => {
  const { repository, first } = await scene(t);
  const above = await testRepository(t);
  await above.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", repository.folder, "inner");
  const rules = join(above.folder, "inner/rules");
  const asked = await cli(["eval", rules, "--as-of", first, ...described], { environment });
  assert.deepEqual([asked.status, asked.err], [0, ""]);
});

/** A hook that asks garita for the commit before, and tells what git told it. */
async function hookOf(repository: TestRepository, folder: string): Promise<() => Promise<string>> {
  const told = join(await repository.git("-C", folder, "rev-parse", "--absolute-git-dir"), "told");
  const hooks = join(repository.folder, ".git/hooks");
  await mkdir(hooks, { recursive: true });
  await writeFile(
    join(hooks, "pre-commit"),
    `#!/bin/sh
exec > "${told}" 2>&1
env | grep '^GIT_[DIP]' | sort
"${process.execPath}" "${main}" eval rules --as-of HEAD ${described.join(" ")}
echo "status $?"
"${process.execPath}" "${main}" diff HEAD --folder rules --exit-code
echo "status $?"
`,
  );
  await chmod(join(hooks, "pre-commit"), 0o755);
  return () => readFile(told, "utf8");
}

test("a hook is answered for the repository and the folder in which it runs, whatever git has set for it", async (t) => {
  const { repository, linked } = await scene(t);
  for (const [folder, outcome] of [
    [repository.folder, "10"],
    [linked, "0"],
  ] as const) {
    const told = await hookOf(repository, folder);
    await writeFile(join(folder, "rules/a.yaml"), allowing("/three"));
    // From a subfolder, and of one path alone: git sets an index of its own, a prefix, and in a linked work tree the folder.
    await repository.git("-C", join(folder, "rules/deep"), "commit", "--quiet", "-m", "x", "../a.yaml");
    const text = await told();
    assert.match(text, /^GIT_INDEX_FILE=.*next-index/m, "the hook has what it is to be safe from");
    assert.match(text, /^GIT_PREFIX=rules\/deep\/$/m);
    if (folder === linked) assert.match(text, /^GIT_DIR=.*worktrees/m);
    assert.match(text, new RegExp(`^status ${outcome}$`, "m"), text);
    assert.match(text, /changed AuthorizationPolicy shop\/a at rules\/a\.yaml:3.*status 10\n$/s, text);
  }
});
