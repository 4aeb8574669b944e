/** One measurement in a process of its own: `compile N` policies, `load N` and `swap N` rules, or `load-conditions N` rules with conditions. Prints JSON. */

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { prepareEngineInSlices } from "#authz/rulesets/prepare";
import { keepRequestsYoung } from "#platform/heap";
import { compile } from "#policy-compiler/compile";
import { encodeRuleSet } from "#policy-compiler/ruleset/codec";
import { residentBytes } from "./cpu.ts";
import { conditionsFolder, gatewayFolder, meshFolder } from "./policies.ts";

const [task, countText, file] = process.argv.slice(2);
const count = Number(countText);

function collect(): void {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  globalThis.gc();
}

/** The most processor time that this thread spends in one turn of the loop, collections included, other programs not. */
function watchTurns(): { end(): number } {
  const cpuMillis = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let last = cpuMillis();
  let longest = 0;
  let next = setImmediate(function turn() {
    const now = cpuMillis();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(turn);
  });
  return {
    end() {
      clearImmediate(next);
      return longest;
    },
  };
}

if (task === "compile") {
  const files = meshFolder(count);
  const begun = performance.now();
  const { ruleSet } = compile(files);
  if (ruleSet === undefined) throw new Error("the folder does not compile");
  console.log(JSON.stringify({ policies: count, seconds: (performance.now() - begun) / 1000 }));
} else if (task === "write" || task === "write-conditions") {
  const { ruleSet, diagnostics } = compile((task === "write" ? gatewayFolder : conditionsFolder)(count));
  if (ruleSet === undefined) throw new Error(JSON.stringify(diagnostics.slice(0, 3)));
  writeFileSync(file!, encodeRuleSet(ruleSet));
} else {
  const writing = task === "load-conditions" ? "write-conditions" : "write";
  const path = join(tmpdir(), `garita-bench-${randomUUID()}`);
  const made = spawnSync(process.execPath, [fileURLToPath(import.meta.url), writing, String(count), path], {
    stdio: "inherit",
  });
  if (made.status !== 0) throw new Error("the rule set could not be made");
  const bytes = readFileSync(path);
  rmSync(path);
  const load = () => prepareEngineInSlices(bytes, "", () => performance.now());
  collect();
  const before = residentBytes(process.pid);
  keepRequestsYoung();
  const begun = performance.now();
  const { ruleSet } = await load();
  const seconds = (performance.now() - begun) / 1000;
  if (task !== "swap") {
    collect();
    const megabytes = (residentBytes(process.pid) - before) / 1e6;
    console.log(JSON.stringify({ rules: ruleSet.rules.length, seconds, megabytes }));
  } else {
    // Another such rule set is made ready while this one answers.
    await pause(500);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const turns = watchTurns();
    const next = await load();
    const longestCpuMillis = turns.end();
    delay.disable();
    const rules = Math.min(ruleSet.rules.length, next.ruleSet.rules.length);
    console.log(JSON.stringify({ rules, longestMillis: delay.max / 1e6, longestCpuMillis }));
  }
}
