import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, openSync } from "node:fs";
import { test } from "node:test";
import { cli, folderOf, main, policy, program, readers } from "#test/support/cli/run-cli";
import { endsWithTest } from "#test/support/service/ends-with-test";

const broken = policy("broken", "rules: [{ to: [{ operation: { methods: [GET], hots: [a] } }] }]");

test("the exit status of the program is that of the command", async (t) => {
  const folder = await folderOf(t, {
    "good/p.yaml": readers,
    "bad/p.yaml": broken,
    "warned/p.yaml": policy("w", "action: AUDIT, selector: {}"),
  });
  for (const [args, status] of [
    [["check", `${folder}/good`], 0],
    [["check", `${folder}/bad`], 3],
    [["check", `${folder}/warned`, "--fail-on", "warning"], 5],
    [["compile", `${folder}/good`, "-o", `${folder}/gone/x`], 1],
    [["eval", `${folder}/good`, "--exit-code", "-n", "shop", "--no-labels", "-X", "PUT"], 10],
    [["nonsense"], 2],
  ] as const) {
    const [ran, here] = [await program(args), await cli(args)];
    assert.deepEqual([ran.status, here.status], [status, status], args.join(" "));
    assert.equal(ran.out, here.out);
  }
});

test("paths are those of the working directory", async (t) => {
  const folder = await folderOf(t, { "in/p.yaml": broken });
  for (const [args, path] of [
    [["check"], "in/p.yaml"],
    [["check", "./in/"], "in/p.yaml"],
  ] as const) {
    assert.ok((await program(args, { cwd: folder })).out.startsWith(`${path}:4:`), args.join(" "));
  }
});

test("standard input is read to its end", async (t) => {
  const folder = await folderOf(t, { "p.yaml": readers });
  const input = `workload: { namespace: shop, labels: {} }\nrequest: { path: "/${"a".repeat(300_000)}" }\n`;
  const ran = await program(["eval", folder, "-f", "-"], { input });
  assert.deepEqual([ran.status, ran.err], [0, ""]);
  assert.match(ran.out, /^allow {2}200/);
});

test("a reader that goes away ends the output, and nothing else", async (t) => {
  const many = Array.from({ length: 2000 }, (_, i) => broken.replace("broken", `b${i}`)).join("---\n");
  const folder = await folderOf(t, { "p.yaml": many });
  const child = spawn(process.execPath, [main, "check", folder], { stdio: ["ignore", "pipe", "pipe"] });
  endsWithTest(t, child);
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdout.once("data", () => child.stdout.destroy());
  assert.deepEqual(await once(child, "close"), [3, null]);
  assert.equal(err, "");
});

test("output that is lost for another reason is a failure", { skip: process.platform !== "linux" }, async (t) => {
  const folder = await folderOf(t, { "p.yaml": readers });
  const full = openSync("/dev/full", constants.O_WRONLY);
  const child = spawn(process.execPath, [main, "check", folder], { stdio: ["ignore", full, "pipe"] });
  endsWithTest(t, child);
  let err = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  assert.deepEqual(await once(child, "close"), [1, null]);
  assert.match(err, /^garita: the output cannot be written: ENOSPC/);
});

test("colour on a terminal; none with NO_COLOR, nor through a pipe", async (t) => {
  const folder = await folderOf(t, { "p.yaml": broken });
  const onTerminal = async (environment: Record<string, string>) => {
    const script = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    const { NO_COLOR: _, ...rest } = process.env;
    const child = spawn("python3", ["-c", script, process.execPath, main, "check", folder], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...rest, TERM: "xterm", ...environment },
    });
    endsWithTest(t, child);
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
    });
    assert.deepEqual(await once(child, "close"), [3, null]);
    assert.match(out, /document\/unknown-field/);
    return out.includes("\u001b[");
  };
  assert.equal(await onTerminal({}), true);
  assert.equal(await onTerminal({ NO_COLOR: "1" }), false);
  assert.equal((await program(["check", folder], { environment: { TERM: "xterm" } })).out.includes("\u001b"), false);
});
