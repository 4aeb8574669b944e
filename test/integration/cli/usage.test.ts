import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { commandTable } from "#cli/commands/table";
import { cli, folderOf, readers } from "#test/support/cli/run-cli";

const hint = "(garita --help tells more)\n";

/** What cannot be understood: status 2, nothing on standard output, and where to read on. */
const misused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [["nonsense"], /unknown command 'nonsense'/],
  [["chek"], /Did you mean check/],
  [["--nonsense"], /unknown option '--nonsense'/],
  [["check", "--nonsense"], /unknown option '--nonsense'/],
  [["check", "a", "b"], /too many arguments/],
  [["check", "--format", "xml"], /Allowed choices are text, json, junit, sarif, github/],
  [["test", "--format", "sarif"], /Allowed choices are text, json, junit, github/],
  [["eval", "--format", "junit"], /Allowed choices are text, json\./],
  [["check", "--fail-on", "note"], /Allowed choices are error, warning/],
  [["compile", "."], /required option '-o, --output <file>'/],
  [["serve", "--linger", "soon"], /expected 0 to 3600/],
  [["eval", "--check-request", "f", "--http2"], /cannot be used with option '--http2'/],
  [["eval", "--check-request", "f", "-f", "g"], /cannot be used with option/],
  [["eval", "--no-labels", "-l", "a=b"], /cannot be used with option/],
  [["explain", "--admin", "unix:/s", "--no-index"], /cannot be used with option '--no-index'/],
  [["explain", "--admin", "unix:/s", "--istio-lax"], /cannot be used with option '--istio-lax'/],
  [["explain", "--admin", "unix:/s", "--check-request", "f"], /cannot be used with option '--check-request <file>'/],
  [["explain", "--admin", "unix:/s", "--fingerprint", "ab:cd"], /expected a SHA-256 in hex, found `ab:cd`/],
  [["explain", "--admin", "unix:"], /expected `http:\/\/host:port`, .* found `unix:`/],
  [["explain", "--admin", "ftp://h"], /found `ftp:\/\/h`/],
  [["explain", "folder", "--admin", "unix:/s"], /expected a folder or --admin/],
];

for (const [args, says] of misused) {
  test(`garita ${args.join(" ")}: status 2 and a hint`, async () => {
    const { status, out, err } = await cli(args);
    assert.deepEqual([status, out], [2, ""]);
    assert.match(err, says);
    assert.ok(err.endsWith(hint), err);
  });
}

test("without a command the help is shown, and the status is that of wrong usage; asked for, it is 0", async () => {
  const bare = await cli([]);
  assert.deepEqual([bare.status, bare.out], [2, ""]);
  for (const args of [["--help"], ["help"], ["-h"]]) {
    const asked = await cli(args);
    assert.deepEqual([asked.status, asked.err], [0, ""]);
    assert.equal(asked.out, bare.err);
  }
  for (const { name, summary } of commandTable) {
    const own = await cli([name, "--help"]);
    assert.equal(own.status, 0);
    assert.ok(own.out.includes(`Usage: garita ${name} `) && own.out.includes(summary), own.out);
    assert.equal((await cli(["help", name])).out, own.out);
  }
});

test("the version, by command and by flag", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  for (const args of [["version"], ["--version"], ["-V"]]) {
    assert.deepEqual(await cli(args), { status: 0, out: `garita ${version}\n`, err: "" });
  }
  const { out } = await cli(["version", "--json"]);
  assert.deepEqual(JSON.parse(out), { version, node: process.versions.node });
});

test("the README's table has every command, in the order of the help, and no other", () => {
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `garita (\w+)[^`]*` \| (.+) \|$/gm)].map(([, name, does]) => ({ name, does }));
  assert.deepEqual(
    rows.map(({ name }) => name),
    commandTable.map(({ name }) => name),
  );
  for (const { does } of rows) assert.ok((does?.length ?? 0) > 10);
});

const local = [["check"], ["compile", "-o", "out"], ["test"], ["eval"], ["explain"]];

test("a folder that is not there, or is none: status 2, and its name", async (t) => {
  const folder = await folderOf(t, { "p.yaml": readers });
  for (const [command = "", ...rest] of local) {
    const gone = await cli([command, `${folder}/gone`, ...rest]);
    assert.deepEqual([gone.status, gone.out], [2, ""], command);
    assert.match(gone.err, /^garita: the folder `\S+\/gone` cannot be opened: ENOENT.* \[source\/missing\]\n$/);
    const file = await cli([command, `${folder}/p.yaml`, ...rest]);
    assert.deepEqual([file.status, file.out], [2, ""], command);
    assert.match(file.err, /^garita: `\S+\/p\.yaml` is not a folder \[source\/missing\]\n$/);
  }
});

test("policies with an error: status 3 for every command, with file, line and column", async (t) => {
  const folder = await folderOf(t, { "p.yaml": `${readers}tpyo: 1\n`, "a_test.yaml": "{" });
  for (const [command = "", ...rest] of local) {
    const { status, out, err } = await cli([command, folder, ...rest]);
    assert.equal(status, 3, command);
    assert.match(out + err, new RegExp(`^${folder}/p\\.yaml:5:1: error\\[document/unknown-field\\]: `, "m"));
  }
  for (const [command = "", ...rest] of local.filter(([command]) => command !== "test")) {
    if (command === "compile") continue;
    assert.equal((await cli([command, folder, "--istio-lax", ...rest])).status, 0, command);
  }
});
