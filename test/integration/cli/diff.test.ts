import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { cli, folderOf, policy, readers } from "#test/support/cli/run-cli";

interface DiffCase {
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  readonly says: readonly string[];
}

const cases = new URL("./diff-cases/", import.meta.url);
const names = readdirSync(cases).filter((name) => name.endsWith(".yaml"));

test("there are cases", () => assert.ok(names.length > 10));

for (const name of names) {
  test(`diff: ${name}`, async (t) => {
    const { before, after, says }: DiffCase = parse(readFileSync(new URL(name, cases), "utf8"));
    const [old, now] = [await folderOf(t, before), await folderOf(t, after)];
    const { status, out, err } = await cli(["diff", old, now, "--exit-code"]);
    assert.deepEqual([status, err], [says.length === 0 ? 0 : 10, ""], out);
    const lines = out.split("\n").slice(1, -2);
    assert.deepEqual(
      lines.map((line) => line.replaceAll(`${old}/`, "BEFORE/").replaceAll(`${now}/`, "AFTER/")),
      says,
    );
    const backwards = JSON.parse((await cli(["diff", now, old, "--format", "json"])).out);
    const forwards = JSON.parse((await cli(["diff", old, now, "--format", "json"])).out);
    assert.deepEqual(backwards.changes.map(turned), forwards.changes.map(turnedKind));
    for (const folder of [old, now]) {
      const same = await cli(["diff", folder, folder, "--exit-code"]);
      assert.deepEqual([same.status, same.out.split("\n").slice(1)], [0, ["no difference", ""]]);
    }
  });
}

interface Told {
  readonly kind: string;
  readonly document: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
}

const opposite: Record<string, string> = { added: "removed", removed: "added", changed: "changed", moved: "moved" };

/** What a comparison the other way round says of a document. */
function turned({ kind, document, before, after }: Told) {
  return { kind: opposite[kind], document, before: after, after: before };
}

function turnedKind({ kind, document, before, after }: Told) {
  return { kind, document, before, after };
}

test("a state that is not valid is not compared: status 3, what is wrong, and which state", async (t) => {
  const [good, bad] = [
    await folderOf(t, { "p.yaml": readers }),
    await folderOf(t, { "p.yaml": `${readers}tpyo: 1\n` }),
  ];
  for (const pair of [
    [good, bad],
    [bad, good],
  ]) {
    const { status, out, err } = await cli(["diff", ...pair]);
    assert.deepEqual([status, out], [3, ""]);
    assert.match(err, /p\.yaml:5:1: error\[document\/unknown-field\]/);
    assert.ok(err.endsWith(`nothing is compared: \`${bad}\` is not valid\n`), err);
  }
});

test("a folder that is not there: status 2", async (t) => {
  const folder = await folderOf(t, { "p.yaml": readers });
  const { status, err } = await cli(["diff", `${folder}/gone`, folder]);
  assert.equal(status, 2);
  assert.match(err, /\[source\/missing\]/);
  const nothing = await cli(["diff", "gone", folder, "--folder", folder]);
  assert.equal(nothing.status, 2);
  assert.match(
    nothing.err,
    /^garita: `gone` is neither a folder nor a revision: `.*` is in no repository that git reads/,
  );
});

test("hostile text breaks out of neither text nor markdown", async (t) => {
  const path = (text: string) => policy("p", `rules: [{ to: [{ operation: { paths: [${JSON.stringify(text)}] } }] }]`);
  const hostile = "/a`b``c\u001b[2J\n# heading <script>";
  const [old, now] = [await folderOf(t, { "p.yaml": path("/a") }), await folderOf(t, { "p.yaml": path(hostile) })];
  const text = (await cli(["diff", old, now])).out;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what could steer a terminal
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  const { out, status } = await cli(["diff", old, now, "--format", "markdown"]);
  assert.equal(status, 0);
  assert.doesNotMatch(out, /^#/m);
  assert.match(out, / ``` .*<script>.* ``` /);
});

test("blanks at both ends are seen in markdown, and a long text is not cut through a character", async (t) => {
  const path = (text: string) => policy("p", `rules: [{ to: [{ operation: { paths: [${JSON.stringify(text)}] } }] }]`);
  const [old, now] = [await folderOf(t, { "p.yaml": path("/a ") }), await folderOf(t, { "p.yaml": path(" /a ") })];
  assert.match((await cli(["diff", old, now, "--format", "markdown"])).out, /was `\/a `, is ` {2}\/a {2}` /);
  const long = await folderOf(t, { "p.yaml": path(`${"\u{1f600}".repeat(150)}`) });
  const { out } = await cli(["diff", old, long]);
  assert.ok(out.isWellFormed() && out.includes("\u{1f600}…"), out);
});

test("markdown is no longer than a comment may be: it is cut at the end of a line, and says how much is left out", async (t) => {
  const rules = (path: string) =>
    policy(
      "p",
      `rules: [${Array.from({ length: 2_000 }, (_, i) => `{ to: [{ operation: { paths: ["${path}${i}"] } }] }`)}]`,
    );
  const [old, now] = [await folderOf(t, { "p.yaml": rules("/old/") }), await folderOf(t, { "p.yaml": rules("/new/") })];
  const markdown = async (...more: string[]) => {
    const { out, status } = await cli(["diff", old, now, "--exit-code", "--format", "markdown", ...more]);
    assert.equal(status, 10, "of the whole");
    return out;
  };
  const whole = await markdown("--max-characters", "999999999");
  const rows = whole.split("\n").filter((line) => line !== "");
  assert.ok(rows.length > 2_000 && whole.length > 65_536 && !whole.includes("left out"));
  const cuts = [
    await markdown(),
    await markdown("--max-characters", "1000"),
    await markdown("--max-characters", `${whole.length - 1}`),
  ];
  for (const [i, most] of [65_536, 1_000, whole.length - 1].entries()) {
    const out = cuts[i]!;
    assert.ok(out.length <= most && out.length > most - 400, `${out.length} of ${most}`);
    const told = /^(\d+) of (\d+) lines are left out; `--format text` prints all, `--max-characters` more\.$/m.exec(
      out,
    );
    const kept = out.split("\n").filter((line) => line !== "");
    assert.deepEqual(kept.slice(0, -2), rows.slice(0, kept.length - 2), "whole lines, in order");
    assert.deepEqual(kept.at(-1), rows.at(-1), "the counts");
    assert.deepEqual([Number(told?.[1]), Number(told?.[2])], [rows.length + 1 - kept.length, rows.length - 1]);
  }
  assert.equal(await markdown("--max-characters", `${whole.length}`), whole);
  const { status, err } = await cli(["diff", old, now, "--format", "markdown", "--max-characters", "999"]);
  assert.equal(status, 2);
  assert.match(err, /expected 1000 to 999999999/);
});

test("a line that is longer than everything may be is left out with what follows it", async (t) => {
  const paths = (count: number) =>
    policy("p", `rules: [{ to: [{ operation: { paths: [${Array.from({ length: count }, (_, i) => `"/${i}"`)}] } }] }]`);
  const [old, now] = [await folderOf(t, { "p.yaml": paths(30_000) }), await folderOf(t, { "p.yaml": paths(16_000) })];
  const { out } = await cli(["diff", old, now, "--format", "markdown"]);
  assert.ok(out.length < 1_000, `${out.length}`);
  assert.match(out, /^1 of \d lines are left out/m);
});
