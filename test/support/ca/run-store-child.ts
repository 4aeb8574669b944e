import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("./store-child.ts", import.meta.url));

export interface StoreChild {
  readonly child: ChildProcess;
  /** What it said so far, whole lines. */
  readonly lines: readonly string[];
  /** Resolves when it has said so many lines, or has ended. */
  said(count: number): Promise<void>;
  /** All that it said, once it is gone. */
  readonly ended: Promise<readonly string[]>;
}

/** Starts a program that issues from number `first` on. */
export function runStoreChild(file: string, first: number): StoreChild {
  const child = spawn(process.execPath, [program, file, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    lines.push(line);
    for (const { count, resolve } of waiting) if (lines.length >= count) resolve();
  });
  const ended = new Promise<readonly string[]>((resolve) => {
    reader.on("close", () => {
      for (const one of waiting) one.resolve();
      resolve(lines);
    });
  });
  return {
    child,
    lines,
    said: (count) =>
      lines.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    ended,
  };
}
