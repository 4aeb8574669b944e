import assert from "node:assert/strict";
import { once } from "node:events";
import { symlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { type Run, runProgram } from "#authz/rulesets/git/run-program";
import { systemTimers } from "#platform/timers";
import { tempFolder } from "#test/support/service/temp-folder";

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

test("a remote that lists references without an end fills no more memory than git may have", async (t) => {
  const url = await endlessRemote(t);
  const { status, told } = await running(t, {
    args: ["ls-remote", "--", url, "main"],
    maxMemoryBytes: 256 * 1024 ** 2,
  });
  assert.notEqual(status, 0);
  assert.match(told, /[Oo]ut of memory/);
});

test("arguments are what they are: no shell reads them", async (t) => {
  const odd = ["$(touch x)", "`touch x`", "; touch x", "a  b", "*", "", "'\"", "-c", "$1", "a\nb"];
  const { output } = await running(t, { args: ["rev-parse", "--sq-quote", ...odd] });
  const quoted = odd.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  assert.equal(output.toString("utf8"), ` ${quoted.join(" ")}\n`);
});

test("a program that is not there, beside a shell that is, is told as missing", async (t) => {
  const folder = await tempFolder(t);
  await symlink("/bin/sh", `${folder}/sh`);
  await assert.rejects(running(t, { args: ["version"], environment: { PATH: folder } }), { code: "git/missing" });
});
