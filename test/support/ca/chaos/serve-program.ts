import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { main } from "#test/support/cli/run-cli";
import type { Mesh } from "./mesh.ts";

/** The program `garita serve`, all doors of its authority open. */
export interface Served {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly pid: number;
  /** Lines of the log so far. */
  lines(): readonly Readonly<Record<string, unknown>>[];
  /** Lines of the log with this sentence. */
  said(sentence: string): readonly Readonly<Record<string, unknown>>[];
  /** Resolves when a line with this sentence is there, the `times`th of them. */
  heard(sentence: string, times?: number): Promise<Readonly<Record<string, unknown>>>;
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
  { config, at }: Pick<Mesh, "config" | "at">,
  { preload = [], environment = {}, lingerSeconds = 0 }: ServeOptions = {},
): Promise<Served> {
  const imports = preload.flatMap((url) => ["--import", fileURLToPath(url)]);
  const child = spawn(process.execPath, [...imports, main, "serve", "-c", config, "--linger", String(lingerSeconds)], {
    stdio: ["ignore", "pipe", "pipe"],
    // What one that ended in peace has compiled, the next need not: it is written at the end.
    env: { ...process.env, NODE_COMPILE_CACHE: at("compiled"), ...environment },
  });
  t.after(() => child.kill("SIGKILL"));
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const log = readLog(child);
  const doors = ["ca-grpc", "ca-http", "ca-socket"].map((listener) =>
    log.heard((line) => line["msg"] === "listening" && line["listener"] === listener),
  );
  const addresses = await Promise.race([
    Promise.all(doors),
    ended.then(({ code }) => Promise.reject(new Error(`ended with ${code}: ${log.text()}`))),
  ]);
  const [grpcPort = 0, httpPort = 0] = addresses.map(({ address }) => Number(String(address).split(":").at(-1)));
  return {
    grpcPort,
    httpPort,
    pid: child.pid!,
    lines: log.lines,
    said: (sentence) => log.lines().filter(({ msg }) => msg === sentence),
    heard: (sentence, times = 1) => log.heard(({ msg }) => msg === sentence, times),
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
    heard: (wanted: (line: Line) => boolean, times = 1) =>
      new Promise<Line>((resolve) => {
        const look = () => {
          const found = lines.filter(wanted)[times - 1];
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}
