import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createProgramThread } from "#authz/rulesets/git/program-thread";
import { type Run, runProgram } from "#authz/rulesets/git/run-program";
import { CodedError } from "#platform/coded-error";
import { systemTimers } from "#platform/timers";
import { isRunning } from "#test/support/is-running";
import { createFakeTime } from "#test/support/keys/fake-time";
import { tempFolder } from "#test/support/service/temp-folder";
import { until } from "#test/support/until";

/** gitprotocol-common(5), pkt-line. */
function packet(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

/** A remote that lists references without an end; ends with the test. */
async function endlessRemote(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-advertisement" });
      response.end(
        `${packet("# service=git-upload-pack\n")}0000${packet("version 2\n")}${packet("ls-refs=unborn\n")}${packet("object-format=sha1\n")}0000`,
      );
      return;
    }
    response.writeHead(200, { "content-type": "application/x-git-upload-pack-result" });
    let count = 0;
    const line = () => packet(`${"a".repeat(40)} refs/heads/${"x".repeat(900)}${count++}\n`);
    const go = () => {
      while (response.writable && response.write(Array.from({ length: 1_000 }, line).join("")));
    };
    response.on("drain", go);
    go();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.git`;
}

/** Where programs are started: in the thread that asks, or in one of their own. */
const places = {
  here: () => ({}),
  "a thread of their own": (t: TestContext) => {
    const { start, close } = createProgramThread();
    t.after(close);
    return { start };
  },
} as const;

async function running(t: TestContext, more: Pick<Run, "args"> & Partial<Run>) {
  const environment = { PATH: process.env["PATH"] ?? "", GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
  return runProgram({
    program: "git",
    environment,
    cwd: await tempFolder(t),
    timers: systemTimers,
    timeoutMillis: 60_000,
    maxOutputBytes: 1_000_000,
    ...more,
  });
}

for (const [place, startedIn] of Object.entries(places)) {
  test(`started in ${place}: a remote that lists references without an end fills no more memory than git may have`, async (t) => {
    const url = await endlessRemote(t);
    const { status, told } = await running(t, {
      ...startedIn(t),
      args: ["ls-remote", "--", url, "main"],
      maxMemoryBytes: 256 * 1024 ** 2,
    });
    assert.notEqual(status, 0);
    assert.match(told, /[Oo]ut of memory/);
  });

  test(`started in ${place}: arguments are what they are: no shell reads them`, async (t) => {
    const odd = ["$(touch x)", "`touch x`", "; touch x", "a  b", "*", "", "'\"", "-c", "$1", "a\nb"];
    const { output } = await running(t, { ...startedIn(t), args: ["rev-parse", "--sq-quote", ...odd] });
    const quoted = odd.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    assert.equal(output.toString("utf8"), ` ${quoted.join(" ")}\n`);
  });

  test(`started in ${place}: a program that is not there, beside a shell that is, is told as missing`, async (t) => {
    const folder = await tempFolder(t);
    await symlink("/bin/sh", `${folder}/sh`);
    const call = { ...startedIn(t), args: ["version"], environment: { PATH: folder } };
    await assert.rejects(running(t, call), { code: "git/missing" });
    await assert.rejects(running(t, { ...call, environment: { PATH: "" } }), { code: "git/missing" });
  });

  test(`started in ${place}: what is too much, too slow or not wanted any more is ended, with what it has started`, async (t) => {
    const folder = await tempFolder(t);
    const pids = join(folder, "pids");
    // git runs an alias that begins with an exclamation mark by a shell.
    const args = ["-c", `alias.long=!echo $$ >>${pids}; sleep 600 & echo $! >>${pids}; wait`, "long"];
    for (const [what, code] of [
      ["slow", "git/too-slow"],
      ["much", "source/too-large"],
      ["not wanted", "git/too-slow"],
    ] as const) {
      await writeFile(pids, "");
      const time = createFakeTime();
      const ending = new AbortController();
      const { promise: tooMuch, resolve } = Promise.withResolvers<CodedError>();
      const call = { ...startedIn(t), args, timers: time, signal: ending.signal, tooMuch };
      const ended = assert.rejects(running(t, call), { code });
      await until(() => readFileSync(pids, "utf8").split("\n").length === 3);
      if (what === "slow") await time.advance(60_000);
      else if (what === "much") resolve(new CodedError("source/too-large", "too much"));
      else ending.abort();
      await ended;
      const started = readFileSync(pids, "utf8").trim().split("\n").map(Number);
      await until(() => started.every((pid) => !isRunning(pid)));
    }
    const flood = running(t, { ...startedIn(t), args: ["-c", "alias.flood=!yes", "flood"] });
    await assert.rejects(flood, { code: "source/too-large" });
  });
}

test("a thread that is closed has ended what it ran, and runs nothing any more", async (t) => {
  const { start, close } = createProgramThread();
  t.after(close);
  const versions = await Promise.all([1, 2, 3].map(() => running(t, { start, args: ["version"] })));
  for (const { status, output } of versions) assert.match(`${status} ${output}`, /^0 git version/);
  const pids = join(await tempFolder(t), "pid");
  const sleeping = running(t, { start, args: ["-c", `alias.long=!echo $$ >${pids}; exec sleep 600`, "long"] });
  const ended = assert.rejects(sleeping, { code: "source/worker" });
  await until(() => existsSync(pids) && readFileSync(pids, "utf8").endsWith("\n"));
  await close();
  await ended;
  await until(() => !isRunning(Number(readFileSync(pids, "utf8"))));
  await assert.rejects(running(t, { start, args: ["version"] }), { code: "source/worker" });
});
