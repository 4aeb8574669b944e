import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { main } from "#test/support/cli/run-cli";
import { endsWithTest } from "#test/support/service/ends-with-test";
import { compiledIn, type Mesh } from "./mesh.ts";

/** The program `garita serve`, all doors of its authority open. */
export interface Served {
  /** Where the doors are; elsewhere when the authority was started again. */
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly pid: number;
  /** Lines of the log so far. */
  lines(): readonly Readonly<Record<string, unknown>>[];
  /** Lines of the log with this sentence. */
  said(sentence: string): readonly Readonly<Record<string, unknown>>[];
  /** Resolves when such a line is there. */
  heard(wanted: (line: Readonly<Record<string, unknown>>) => boolean): Promise<Readonly<Record<string, unknown>>>;
  signal(signal: NodeJS.Signals): void;
  /** What it ended with. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGKILL, waited for. */
  kill(): Promise<void>;
  /** SIGTERM, waited for. */
  stop(): Promise<void>;
}

export interface ServeOptions {
  /** Modules that are loaded before the program. */
  readonly preload?: readonly URL[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly lingerSeconds?: number;
}

/** Starts it and waits for its doors; rejects with what it said when it ends instead. It ends with the test. */
export async function serveProgram(
  t: TestContext,
  { config, folder }: Pick<Mesh, "config" | "folder">,
  { preload = [], environment = {}, lingerSeconds = 0 }: ServeOptions = {},
): Promise<Served> {
  const imports = preload.flatMap((url) => ["--import", fileURLToPath(url)]);
  const child = spawn(process.execPath, [...imports, main, "serve", "-c", config, "--linger", String(lingerSeconds)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...compiledIn(folder), ...environment },
  });
  endsWithTest(t, child);
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const log = readLog(child);
  const doors = ["ca-grpc", "ca-http", "ca-socket"].map((listener) =>
    log.heard((line) => line["msg"] === "listening" && line["listener"] === listener),
  );
  await Promise.race([
    Promise.all(doors),
    ended.then(({ code }) => Promise.reject(new Error(`ended with ${code}: ${log.text()}`))),
  ]);
  const portOf = (name: string) => {
    const line = log.lines().findLast(({ msg, listener }) => msg === "listening" && listener === name);
    return Number(String(line?.["address"]).split(":").at(-1));
  };
  return {
    get grpcPort() {
      return portOf("ca-grpc");
    },
    get httpPort() {
      return portOf("ca-http");
    },
    pid: child.pid!,
    lines: log.lines,
    said: (sentence) => log.lines().filter(({ msg }) => msg === sentence),
    heard: log.heard,
    signal: (signal) => child.kill(signal),
    ended,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

type Line = Readonly<Record<string, unknown>>;

function readLog(child: ChildProcess) {
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) lines.push(JSON.parse(part) as Line);
    for (const look of waiting) look();
  });
  return {
    lines: () => lines,
    text: () => `${errors}${lines.map((line) => JSON.stringify(line)).join("\n")}`,
    heard: (wanted: (line: Line) => boolean) =>
      new Promise<Line>((resolve) => {
        const look = () => {
          const found = lines.find(wanted);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}
