import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { compile } from "#policy-compiler/compile";
import { encodeRuleSet } from "#policy-compiler/ruleset/codec";
import { median, residentBytes } from "./cpu.ts";
import { sendChecks } from "./grpc-load.ts";
import { meshFolder } from "./policies.ts";
import { benchRequest } from "./request.ts";

export interface StartCost {
  /** From the start of the process to the first answered check, milliseconds. */
  readonly fromBytesMillis: number;
  readonly fromYamlMillis: number;
  /** Resident a second after the first answer. */
  readonly residentMegabytes: number;
}

const program = fileURLToPath(new URL("../dist/bin/garita.js", import.meta.url));

/** The built program (`npm run build`) with 1,000 rules, from compiled bytes and from YAML in turn. */
export async function startCost(rounds: number): Promise<StartCost> {
  if (!existsSync(program)) throw new Error("dist/ is missing: run npm run build first");
  const folder = mkdtempSync(join(tmpdir(), "garita-bench-"));
  try {
    const files = meshFolder(1_000);
    for (const { path, bytes } of files) {
      mkdirSync(dirname(join(folder, "policies", path)), { recursive: true });
      writeFileSync(join(folder, "policies", path), bytes);
    }
    const { ruleSet } = compile(files);
    if (ruleSet === undefined) throw new Error("the folder does not compile");
    const compiled = join(folder, "rules.garita");
    writeFileSync(compiled, encodeRuleSet(ruleSet));
    await startOnce(folder, ["--ruleset", compiled]);
    const results = [];
    for (let round = 0; round < rounds; round++) {
      results.push({ bytes: await startOnce(folder, ["--ruleset", compiled]), yaml: await startOnce(folder, []) });
    }
    return {
      fromBytesMillis: median(results.map((r) => r.bytes.millis)),
      fromYamlMillis: median(results.map((r) => r.yaml.millis)),
      residentMegabytes: median(results.map((r) => r.bytes.megabytes)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startOnce(folder: string, args: readonly string[]): Promise<{ millis: number; megabytes: number }> {
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(folder, "garita.yaml");
  const listener = `{ name: bench, protocol: grpc, address: "${address}", peerIdentity: verified }`;
  writeFileSync(config, `listeners:\n  - ${listener}\npolicies: { directory: policies }\n`);
  const begun = performance.now();
  const options = ["serve", "--config", config, "--linger", "0", ...args];
  const child = spawn(process.execPath, [program, ...options], { stdio: "ignore" });
  try {
    await firstAnswer(address, begun + 20_000);
    const millis = performance.now() - begun;
    await pause(1_000);
    return { millis, megabytes: residentBytes(child.pid!) / 1e6 };
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
}

/** Asks until a check is answered; a connection that is refused is tried again after a moment. */
async function firstAnswer(address: string, deadline: number): Promise<void> {
  const [message] = [benchRequest(0)];
  for (;;) {
    try {
      await sendChecks({ address, connections: 1, streams: 1, requests: 1 }, [message]);
      return;
    } catch (fault) {
      if (performance.now() > deadline) throw fault;
      await pause(2);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
