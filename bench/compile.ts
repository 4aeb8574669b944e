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
  /** The longest time that the load kept the event loop from turning. */
  readonly longestHoldMillis: number;
}

const probe = fileURLToPath(new URL("./compile-probe.ts", import.meta.url));

/** Each measurement runs in a process of its own, so that no heap is warm for the next. */
function inProcess<T>(args: readonly string[], rounds: number, figure: (result: T) => number): T {
  const results = Array.from({ length: rounds }, () => {
    const ran = spawnSync(process.execPath, ["--expose-gc", probe, ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
    if (ran.status !== 0) throw new Error(`the probe ended with ${ran.status}:\n${ran.stderr}`);
    return JSON.parse(ran.stdout) as T;
  });
  const middle = median(results.map(figure));
  return results.reduce((best, each) =>
    Math.abs(figure(each) - middle) < Math.abs(figure(best) - middle) ? each : best,
  );
}

/** From YAML in memory to a rule set: 10,000 policies. */
export function compileCost(rounds: number): CompileCost {
  return inProcess<CompileCost>(["compile", "10000"], rounds, (r) => r.seconds);
}

/** From bytes to an engine that answers: 1,000 rules, each with a condition of its own, every other of them with a pattern. */
export function loadConditionsCost(rounds: number): LoadCost {
  return inProcess<LoadCost>(["load-conditions", "1000"], rounds, (r) => r.seconds);
}

/** From bytes to an engine that answers: 100,000 rules. */
export function loadCost(rounds: number): LoadCost {
  return inProcess<LoadCost>(["load", "100000"], rounds, (r) => r.seconds);
}
