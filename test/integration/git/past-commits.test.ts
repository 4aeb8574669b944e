import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { cli } from "#test/support/cli/run-cli";
import { allowing, testRepository } from "#test/support/git/test-repository";
import { tempFolder } from "#test/support/service/temp-folder";

const environment = { PATH: process.env["PATH"] ?? "" };
const run = (...args: string[]) => cli(args, { environment });
const testFile = (path: string) => `workload: { namespace: shop, labels: {} }
callers: { anybody: {} }
requests: { it: { path: "${path}" } }
expect: [{ callers: [anybody], requests: [it], outcome: allow }]
`;

test("a past commit is asked by every command that takes --as-of, and a changed work tree is not seen", async (t) => {
  const { folder, commit, git } = await testRepository(t);
  const first = await commit({ "rules/a.yaml": allowing("/one"), "rules/a_test.yaml": testFile("/one") });
  await git("tag", "-a", "-m", "one", "v1");
  await commit({ "rules/a.yaml": allowing("/two"), "rules/a_test.yaml": testFile("/two") });
  await writeFile(join(folder, "rules/a.yaml"), "kind: [");
  const rules = join(folder, "rules");
  const described = ["-n", "shop", "--no-labels", "--path", "/one", "--exit-code"];
  for (const command of ["eval", "explain"]) {
    for (const revision of ["v1", first, first.slice(0, 10), "HEAD~1", "main^", "v1:rules", `${first}:./rules/`]) {
      const asked = await run(command, rules, "--as-of", revision, ...described);
      assert.deepEqual([asked.status, asked.err], [0, ""], `${command} ${revision}: ${asked.out}`);
      assert.match(asked.out, /^allow/);
    }
    const { out } = await run(command, rules, "--as-of", "v1", "--format", "json", ...described);
    assert.equal(JSON.parse(out).commit, first, "which one was asked");
    assert.equal((await run(command, rules, "--as-of", "HEAD", ...described)).status, 10);
    assert.equal((await run(command, rules, ...described)).status, 3, "the work tree is broken");
  }
  const why = await run("explain", rules, "--as-of", "v1", ...described);
  assert.match(why.out, new RegExp(`^allow.*\n\nby the policies of ${first}\n`));
  for (const revision of ["v1", "HEAD"]) {
    assert.equal((await run("check", rules, "--as-of", revision)).status, 0);
    assert.match((await run("test", rules, "--as-of", revision)).out, /^1 passed, 0 failed\n$/);
  }
});

test("revisions and folders are compared, in a clone, in a bare one, and where the folder has moved", async (t) => {
  const { folder, commit, git } = await testRepository(t);
  await commit({ "rules/a.yaml": allowing("/one"), "rules/b.yaml": allowing("/x", "b") });
  const second = await commit({
    "rules/a.yaml": undefined,
    "rules/b.yaml": undefined,
    "policies/b.yaml": allowing("/x", "b"),
  });
  const bare = join(await tempFolder(t), "bare.git");
  await git("clone", "--quiet", "--bare", folder, bare);
  for (const repository of [folder, bare]) {
    const { status, out, err } = await run(
      "diff",
      "HEAD~1:rules",
      "HEAD:policies",
      "--folder",
      repository,
      "--exit-code",
    );
    assert.deepEqual([status, err], [10, ""]);
    assert.equal(
      out,
      `policies of HEAD~1:rules (${(await git("rev-parse", "HEAD~1")).slice(0, 12)}), compared with HEAD:policies (${second.slice(0, 12)})
removed AuthorizationPolicy shop/a at rules/a.yaml:3
  opens or closes: it allows what its rule matches no more
documents: 1 removed
`,
    );
  }
  const policies = join(folder, "policies");
  assert.equal((await run("diff", "HEAD", "--folder", policies, "--exit-code")).status, 0);
  await writeFile(join(policies, "b.yaml"), allowing("/y", "b"));
  assert.equal((await run("diff", "HEAD", "--folder", policies, "--exit-code")).status, 10);
  assert.equal((await run("diff", "HEAD", policies, "--folder", policies, "--exit-code")).status, 10);
});

test("what names no commit, and what could be an option of git, is refused: status 2", async (t) => {
  const { folder, commit, git, url } = await testRepository(t);
  await commit({ "a.yaml": allowing("/one") });
  for (const revision of [
    "none",
    "--upload-pack=touch x",
    "-x",
    ":a.yaml",
    "HEAD:a.yaml^{tree}\nHEAD",
    "HEAD^{tree}",
    "HEAD..HEAD",
    "@{upstream}",
    "f".repeat(40),
  ]) {
    const { status, out, err } = await run("check", folder, `--as-of=${revision}`);
    assert.deepEqual([status, out], [2, ""], revision);
    assert.match(err, /^garita: (`.*` names no (commit|revision)|a revision has no control)[^\n]*\n$/);
  }
  await commit({ "a.yaml": allowing("/two") });
  const shallow = join(await tempFolder(t), "shallow");
  await git("clone", "--quiet", "--depth=1", url, shallow);
  for (const [revision, isCut] of [
    ["HEAD~1", true],
    ["HEAD", false],
  ] as const) {
    const { status, err } = await run("check", shallow, "--as-of", revision);
    assert.deepEqual(
      [status, /is a shallow clone \(`git fetch --unshallow`/.test(err)],
      isCut ? [2, true] : [0, false],
    );
  }
  for (const path of ["../x", "..", "."]) {
    const { status, err } = await run("check", folder, "--as-of", `HEAD:${path}`);
    assert.equal(status, 2);
    assert.match(err, /^garita: expected a folder from the top of the repository/);
  }
  const gone = await run("check", folder, "--as-of", "HEAD:gone");
  assert.equal(gone.status, 2);
  assert.match(gone.err, /\[git\/path\]\n$/);
  const outside = await tempFolder(t);
  const { status, err } = await run("check", outside, "--as-of", "HEAD");
  assert.equal(status, 2);
  assert.match(err, /is in no repository that git reads/);
  const admin = await run("explain", "--admin", "unix:none", "--as-of", "HEAD");
  assert.equal(admin.status, 2);
});

test("a repository that lacks a file, or holds another in its place, is told by its name, and no mirror is spoken of", async (t) => {
  const { folder, commit, git } = await testRepository(t);
  await commit({ "a.yaml": allowing("/one") });
  const object = await git("rev-parse", "HEAD:a.yaml");
  const tree = await git("rev-parse", "HEAD^{tree}");
  const objectFile = (its: string) => join(folder, ".git/objects", its.slice(0, 2), its.slice(2));
  const file = objectFile(object);
  const { status: whole } = await run("check", folder, "--as-of", "HEAD");
  assert.equal(whole, 0);
  const other = deflateSync("blob 3\0a: ");
  for (const [spoil, status, message] of [
    [
      () => rm(file),
      3,
      /`a\.yaml` is not in the repository `.*\.git`: it was cloned without it, or is damaged \[git\/absent\]/,
    ],
    [() => writeFile(file, other), 1, /`a\.yaml` is damaged in the repository `.*\.git` \[git\/mirror\]/],
    [() => rm(objectFile(tree)), 1, /the repository `.*\.git` cannot be read: .* \[git\/mirror\]/],
    [() => rm(join(folder, ".git/objects"), { recursive: true }), 2, /is in no repository that git reads/],
  ] as const) {
    await spoil();
    for (const args of [
      ["check", folder, "--as-of", "HEAD"],
      ["diff", "HEAD", "--folder", folder],
    ]) {
      const asked = await run(...args);
      assert.equal(asked.status, status, asked.err);
      assert.match(asked.err, message);
      assert.doesNotMatch(asked.err, /mirror(?!\])/);
    }
  }
  const partial = join(await tempFolder(t), "partial");
  const source = await testRepository(t);
  await source.commit({ "a.yaml": allowing("/one") });
  await source.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", source.url, partial);
  const lacking = await run("check", partial, "--as-of", "HEAD");
  assert.equal(lacking.status, 3, lacking.err);
  assert.match(lacking.err, /it was cloned without it/);
});

test("a hook's variables and a repository's configuration lead nowhere", async (t) => {
  const { folder, commit, git } = await testRepository(t);
  await commit({ "a.yaml": allowing("/one") });
  const touched = join(folder, ".git", "touched");
  for (const key of ["core.fsmonitor", "core.pager", "core.sshCommand"]) await git("config", key, `touch ${touched}`);
  await mkdir(join(folder, ".git", "hooks"), { recursive: true });
  const hostile = {
    ...environment,
    GIT_DIR: "/nowhere",
    GIT_INDEX_FILE: "/nowhere/index",
    GIT_OBJECT_DIRECTORY: "/nowhere",
  };
  for (const path of [undefined, "/nowhere", `${folder}/.git/objects.of-another`]) {
    const around = { environment: { ...hostile, ...(path && { GIT_QUARANTINE_PATH: path }) } };
    const { status, err } = await cli(["check", folder, "--as-of", "HEAD"], around);
    assert.deepEqual([status, err], [0, ""], path);
  }
  await assert.rejects(import("node:fs/promises").then(({ stat }) => stat(touched)));
});

test("a folder of which git would say another place is refused, and a second work tree has its own HEAD", async (t) => {
  const { folder, commit, git } = await testRepository(t);
  const odd = "rules\nof others";
  await commit({ "rules/a.yaml": allowing("/one"), [`${odd}/a.yaml`]: allowing("/two") });
  const split = await run("check", join(folder, odd), "--as-of", "HEAD");
  assert.deepEqual([split.status, split.out], [2, ""]);
  assert.match(split.err, /control characters\n$/);
  const second = join(await tempFolder(t), "second");
  await git("worktree", "add", "--quiet", "--detach", second);
  await commit({ "rules/b.yaml": allowing("/three", "b") });
  const { out } = await run("diff", "HEAD", "main", "--folder", join(second, "rules"));
  assert.match(out, /^documents: 1 added$/m);
  await git("config", "core.worktree", second);
  const elsewhere = await run("check", join(folder, "rules"), "--as-of", "HEAD");
  assert.deepEqual([elsewhere.status, elsewhere.out], [2, ""]);
  assert.match(elsewhere.err, /is outside the work tree of its repository\n$/);
});
