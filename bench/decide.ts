import { pathToFileURL } from "node:url";
import type { RequestAttributes } from "#authz/engine/attributes";
import type { WorkloadView } from "#authz/engine/contract";
import { type CheckedEngine, createEngine } from "#authz/engine/create-engine";
import { buildIndexes } from "#policy-compiler/index/build";
import { cpuMicros, median } from "./cpu.ts";
import { generateRules, type Shape, shapes } from "./generate-rules.ts";

/**
 * `decide` by the index and by the linear walk. Rounds are interleaved (every size, both ways, then again), cells are medians
 * in nanoseconds of CPU time; compare inside one run only. `--check` ends with 1 when a bar is missed.
 */

const SIZES = [10, 100, 1000, 10_000] as const;
const ROUNDS = 7;
const REQUESTS = 1000;
/** Bars, as ratios inside one run. */
export const MOST_GROWTH = 15;
export const LEAST_GAIN = 50;

interface Subject {
  readonly size: number;
  readonly engine: CheckedEngine;
  readonly view: WorkloadView;
  readonly requests: readonly RequestAttributes[];
  readonly indexed: number[];
  readonly linear: number[];
}

/** One line of the table. */
export interface DecideCell {
  readonly shape: Shape;
  readonly size: number;
  readonly indexedNanos: number;
  readonly linearNanos: number;
  readonly visited: number;
}

export function measureDecide(): readonly DecideCell[] {
  return shapes.flatMap((shape) => {
    const subjects = SIZES.map((size) => subject(shape, size));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const one of subjects) {
        const indexed = time(one, (request) => one.engine.decide(one.view, request), 20_000);
        const linear = time(one, (request) => one.engine.decideLinear(one.view, request), linearCalls(one.size));
        // The first round warms up.
        if (round > 0) one.indexed.push(indexed);
        if (round > 0) one.linear.push(linear);
      }
    }
    return subjects.map((one) => ({
      shape,
      size: one.size,
      indexedNanos: median(one.indexed),
      linearNanos: median(one.linear),
      visited:
        one.requests.reduce((sum, request) => sum + one.engine.decide(one.view, request).visited, 0) /
        one.requests.length,
    }));
  });
}

function subject(shape: Shape, size: number): Subject {
  const { ruleSet, workload, requests } = generateRules(shape, size, REQUESTS);
  const engine = createEngine({ ...ruleSet, index: buildIndexes(ruleSet) }, "bench");
  return { size, engine, view: engine.view(workload), requests, indexed: [], linear: [] };
}

function linearCalls(size: number): number {
  return Math.max(60, Math.min(20_000, 600_000 / size));
}

/** What was decided, so that no decision can be left out. */
let visitedInAll = 0;

function time(
  { requests }: Subject,
  decide: (request: RequestAttributes) => { visited: number },
  calls: number,
): number {
  const start = cpuMicros();
  for (let i = 0; i < calls; i++) visitedInAll += decide(requests[i % requests.length]!).visited;
  return ((cpuMicros() - start) * 1000) / calls;
}

/** Loading: index, engine, memory that stays, for rule sets of a size. */
function measureLoad(shape: Shape, size: number) {
  const { ruleSet, workload, requests } = generateRules(shape, size, REQUESTS);
  const start = cpuMicros();
  const index = buildIndexes(ruleSet);
  const built = cpuMicros();
  const before = memoryBytes();
  const loadStart = cpuMicros();
  const engine = createEngine({ ...ruleSet, index }, "bench");
  const loaded = cpuMicros();
  const view = engine.view(workload);
  const viewed = cpuMicros();
  for (const request of requests) visitedInAll += engine.decide(view, request).visited;
  return {
    shape,
    size,
    buildMillis: (built - start) / 1000,
    createMillis: (loaded - loadStart) / 1000,
    viewMillis: (viewed - loaded) / 1000,
    engineMegabytes: (memoryBytes() - before) / 2 ** 20,
  };
}

function memoryBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

function main(): void {
  const cells = measureDecide();
  console.log(`node ${process.version}, ${ROUNDS} rounds, medians`);
  console.table(
    cells.map((cell) => ({
      shape: cell.shape,
      rules: cell.size,
      "indexed ns": Math.round(cell.indexedNanos),
      "linear ns": Math.round(cell.linearNanos),
      gain: Number((cell.linearNanos / cell.indexedNanos).toFixed(1)),
      "rules asked": Number(cell.visited.toFixed(1)),
    })),
  );
  console.table([10_000, 100_000].flatMap((size) => shapes.map((shape) => measureLoad(shape, size))));
  let missed = false;
  for (const shape of shapes) {
    const at = (size: number) => cells.find((cell) => cell.shape === shape && cell.size === size)!;
    const growth = at(10_000).indexedNanos / at(100).indexedNanos;
    const gain = at(10_000).linearNanos / at(10_000).indexedNanos;
    const met = growth <= MOST_GROWTH && gain >= LEAST_GAIN;
    console.log(
      `${shape}: 100 to 10,000 rules x${growth.toFixed(1)} (at most ${MOST_GROWTH}), index against linear x${gain.toFixed(0)} (at least ${LEAST_GAIN})${met ? "" : " MISSED"}`,
    );
    missed ||= !met;
  }
  console.log(`${visitedInAll} rules asked in all`);
  if (missed && process.argv.includes("--check")) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
