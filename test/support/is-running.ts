import { readFileSync } from "node:fs";

/** Does the process of this number run? A zombie, which waits for whoever took it over, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
