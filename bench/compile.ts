import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "./cpu.ts";

export interface CompileCost {
  readonly policies: number;
  readonly seconds: number;
}

export interface LoadCost {
  readonly rules: number;
  readonly seconds: number;
  /** Growth of the resident memory by the loaded rule set, after a collection. */
  readonly megabytes: number;
}

/** What loading does to requests that another rule set answers meanwhile. */
export interface SwapCost {
  /** The longest time that the event loop did not turn. */
  readonly longestMillis: number;
  /** The most processor time that the thread spent in one turn: what other programs do does not show in it. */
  readonly longestCpuMillis: number;
}

const probe = fileURLToPath(new URL("./compile-probe.ts", import.meta.url));

/** Each measurement runs in a process of its own, so that no heap is warm for the next. */
function inProcesses<T>(args: readonly string[], rounds: number): readonly T[] {
  return Array.from({ length: rounds }, () => {
    const ran = spawnSync(process.execPath, ["--expose-gc", probe, ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
    if (ran.status !== 0) throw new Error(`the probe ended with ${ran.status}:\n${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  });
}

/** From YAML in memory to a rule set: 10,000 policies. */
export function compileCost(rounds: number): CompileCost {
  const results = inProcesses<CompileCost>(["compile", "10000"], rounds);
  return { policies: results[0]!.policies, seconds: median(results.map(({ seconds }) => seconds)) };
}

/** From bytes to an engine that answers: 1,000 rules, each with a condition of its own, every other of them with a pattern. */
export function loadConditionsCost(rounds: number): LoadCost {
  const results = inProcesses<LoadCost>(["load-conditions", "1000"], rounds);
  return {
    rules: results[0]!.rules,
    seconds: median(results.map(({ seconds }) => seconds)),
    megabytes: median(results.map(({ megabytes }) => megabytes)),
  };
}

/** From bytes to an engine that answers: 100,000 rules. */
export function loadCost(rounds: number): LoadCost {
  const results = inProcesses<LoadCost>(["load", "100000"], rounds);
  return {
    rules: results[0]!.rules,
    seconds: median(results.map(({ seconds }) => seconds)),
    megabytes: median(results.map(({ megabytes }) => megabytes)),
  };
}

/** 100,000 rules beside as many in force. The shortest of the longest holds counts, for whatever else runs can only make them longer. */
export function swapCost(rounds: number): SwapCost {
  const results = inProcesses<SwapCost>(["swap", "100000"], rounds);
  return {
    longestMillis: Math.min(...results.map(({ longestMillis }) => longestMillis)),
    longestCpuMillis: median(results.map(({ longestCpuMillis }) => longestCpuMillis)),
  };
}
