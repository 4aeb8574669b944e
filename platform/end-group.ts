import type { ChildProcess } from "node:child_process";

/** Ends a program that was started as the first of a group of its own (`detached`), and whatever of that group still runs. */
export function endGroup({ pid }: Pick<ChildProcess, "pid">): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
