/** One measurement in a process of its own: `compile N` policies, `load N` rules, or `load-conditions N` rules with conditions. Prints JSON. */

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { prepareEngineInSlices } from "#authz/rulesets/prepare";
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
  collect();
  const before = residentBytes(process.pid);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  const engine = await prepareEngineInSlices(bytes, "", () => performance.now());
  const seconds = (performance.now() - begun) / 1000;
  delay.disable();
  collect();
  const megabytes = (residentBytes(process.pid) - before) / 1e6;
  console.log(
    JSON.stringify({ rules: engine.ruleSet.rules.length, seconds, megabytes, longestHoldMillis: delay.max / 1e6 }),
  );
}
