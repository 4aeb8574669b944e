import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceFile } from "#policy-compiler/compile";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A server under measurement, in a process of its own. */
export interface MeasuredServer {
  readonly pid: number;
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts `node PROGRAM ARGS…` and waits until its output matches `listening`, whose first group is the address. */
export async function startServer(
  program: string,
  args: readonly string[],
  listening: RegExp,
): Promise<MeasuredServer> {
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: ["pipe", "pipe", "pipe"] });
  const address = await firstMatch(child, listening);
  child.stdout?.resume();
  child.stderr?.resume();
  return {
    pid: child.pid!,
    address,
    async stop() {
      const ended = once(child, "exit");
      child.stdin?.end();
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Our service with one gRPC listener on a free port, over a folder written for it. `program`: the source or the built one. */
export async function startGarita(
  program: string,
  files: readonly SourceFile[],
  more: readonly string[] = [],
): Promise<MeasuredServer> {
  const folder = mkdtempSync(join(tmpdir(), "garita-bench-"));
  for (const { path, bytes } of files) {
    mkdirSync(dirname(join(folder, "policies", path)), { recursive: true });
    writeFileSync(join(folder, "policies", path), bytes);
  }
  const config = join(folder, "garita.yaml");
  const listener = "{ name: bench, protocol: grpc, address: 127.0.0.1:0, peerIdentity: verified }";
  writeFileSync(config, `listeners:\n  - ${listener}\npolicies: { directory: ${join(folder, "policies")} }\n`);
  const server = await startServer(program, ["serve", "--config", config, ...more], /127\.0\.0\.1:(?!0\b)(\d+)/);
  return {
    ...server,
    address: `127.0.0.1:${server.address}`,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The first group of the first match in what the child says. Rejects when the child ends before. */
export function firstMatch(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      const found = pattern.exec(said);
      if (found !== null) resolve(found[1]!);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });
}
