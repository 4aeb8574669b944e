import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Nanoseconds that each thread of a process has spent on a processor, by the scheduler's own accounting (Linux). */
export type CpuTimes = ReadonlyMap<string, number>;

export function cpuTimes(pid: number): CpuTimes {
  const times = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      times.set(task, Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
    } catch {
      // The thread ended between the listing and the reading.
    }
  }
  return times;
}

/** CPU time of this thread by the scheduler's accounting: other programs on the machine do not show in it. */
export function cpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** What a process has spent between two readings. What a thread that has ended meanwhile has spent since the first is lost. */
export function spentNanos(before: CpuTimes, after: CpuTimes): number {
  let total = 0;
  for (const [task, nanos] of after) total += nanos - (before.get(task) ?? 0);
  return total;
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (line === null) throw new Error(`no resident size for process ${pid}`);
  return Number(line[1]) * 1024;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** One line about the machine, without its name. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} x ${first?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}
