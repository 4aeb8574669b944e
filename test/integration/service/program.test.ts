import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { rawClient } from "#test/support/service/raw-http";
import { tempFolder } from "#test/support/service/temp-folder";

const main = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));

interface Program {
  readonly child: ChildProcess;
  readonly text: () => string;
  /** Resolves when the output matches. Fails when the program ends first. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
}

function program(t: TestContext, args: readonly string[], environment: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  endsWithTest(t, child);
  let text = "";
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer) => {
    text += chunk.toString("utf8");
    for (const listener of listeners) listener();
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  const ended = once(child, "close").then(([code]) => code as number | null);
  return {
    child,
    text: () => text,
    ended,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text);
          if (found !== null) resolve(found);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without ${pattern}: ${text}`)));
      }),
  };
}

const yaml = (
  more: string,
) => `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: a, labels: {} } }]
policies: { directory: policies }
${more}`;

test("serve runs, answers, reloads on SIGHUP and ends on SIGTERM with 0", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "policies"));
  await writeFile(join(folder, "garita.yaml"), yaml(""));
  const run = program(t, ["serve", "--config", join(folder, "garita.yaml"), "--linger", "0", "--no-index"]);
  const [, port] = await run.said(/"listener":"http".*127\.0\.0\.1:(\d+)/);
  await run.said(/rule set in force/);
  const client = rawClient(t, { kind: "tcp", host: "127.0.0.1", port: Number(port) });
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await client.answers(1))[0]?.status, 200);
  run.child.kill("SIGHUP");
  await run.said(/configuration in force/);
  run.child.kill("SIGTERM");
  assert.equal(await run.ended, 0);
  await client.ended;
});

test("a configuration with faults ends with 3, every fault on a line with its place", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  await writeFile(file, yaml("adnim: {}\nlogging: { level: loud }\n"));
  const run = program(t, ["serve", "--config", relative(process.cwd(), file)]);
  assert.equal(await run.ended, 3);
  assert.match(
    run.text(),
    /garita\.yaml:3:1: unknown key `adnim` \[config\/unknown-key\] \(did you mean `admin`\?\)\n/,
  );
  assert.ok(run.text().includes(`${file}:3:1: `), "the whole path, whatever was typed");
  assert.match(run.text(), /garita\.yaml:4:19: `logging\.level`: expected one of /);
});

test("a configuration that is not there is wrong usage: 2, and which file was looked for", async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, "garita.yaml");
  const run = program(t, ["serve", "--config", file]);
  assert.equal(await run.ended, 2);
  assert.equal(
    run.text(),
    `${file}: there is no such file [config/missing] (\`--config\` names another one)\n`,
    "one line, and no stack",
  );
});

test("an admin address or socket in use ends with 1 and one line that says which", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "policies"));
  const file = join(folder, "garita.yaml");
  await writeFile(file, yaml(`admin: { address: "127.0.0.1:0", socket: "${join(folder, "s")}" }\n`));
  const first = program(t, ["serve", "--config", file]);
  const [, port] = await first.said(/"listener":"admin".*127\.0\.0\.1:(\d+)/);
  for (const admin of [`{ address: "127.0.0.1:${port}" }`, `{ socket: "${join(folder, "s")}" }`]) {
    await writeFile(`${file}.2`, yaml(`admin: ${admin}\n`));
    const second = program(t, ["serve", "--config", `${file}.2`]);
    assert.equal(await second.ended, 1);
    const faults = second
      .text()
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("{"));
    assert.equal(faults.length, 1, second.text());
    assert.match(faults[0]!, /^garita: admin API: cannot listen: .*EADDRINUSE.* \[listen\/failed\]$/);
  }
  first.child.kill("SIGTERM");
  assert.equal(await first.ended, 0, "the one that runs is left alone");
});

test("an address in use ends with 1 and says so; wrong usage ends with 2", async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, "policies"));
  await writeFile(join(folder, "garita.yaml"), yaml(""));
  const first = program(t, ["serve", "--config", join(folder, "garita.yaml")]);
  const [, port] = await first.said(/"listener":"http".*127\.0\.0\.1:(\d+)/);
  const second = program(t, ["serve", "--config", join(folder, "garita.yaml")], {
    GARITA_LISTENERS__0__ADDRESS: `127.0.0.1:${port}`,
  });
  assert.equal(await second.ended, 1);
  assert.match(second.text(), /garita: cannot listen: .*EADDRINUSE.* \[listen\/failed\]/);
  for (const args of [["serve", "--nonsense"], ["srve"], ["serve", "--linger", "x"]]) {
    assert.equal(await program(t, args).ended, 2, args.join(" "));
  }
  const version = program(t, ["version"]);
  assert.equal(await version.ended, 0);
  assert.match(version.text(), /^garita \d+\.\d+\.\d+\n$/);
});
