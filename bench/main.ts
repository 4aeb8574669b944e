/** `npm run bench [-- --check] [NAME …]`: runs the measurements, prints them with their bars; `--check` ends with 5 when a bar is missed. */

import { agentsCost } from "./agents.ts";
import { authorityCost } from "./ca.ts";
import { restartCost } from "./ca-restart.ts";
import { authorityRows, restartRows } from "./ca-rows.ts";
import { caStoreCost } from "./ca-store.ts";
import { cachedTokenCost } from "./cached-token.ts";
import { compileCost, loadConditionsCost, loadCost, swapCost } from "./compile.ts";
import { conditionsCost } from "./conditions.ts";
import { machine } from "./cpu.ts";
import { LEAST_GAIN, MOST_GROWTH, measureDecide } from "./decide.ts";
import { conditionCosts } from "./decide-conditions.ts";
import { denyListCost } from "./deny-list.ts";
import { commitCost, reloadCost } from "./git.ts";
import { grpcCost } from "./grpc.ts";
import type { Row } from "./row.ts";
import { startCost } from "./start.ts";
import { tokenCost } from "./tokens.ts";
import { pushCost } from "./xds-push.ts";

/** The probe of the event loop counts its own timer: `loop-probe.ts`. */
const loopStepMillis = 10;
const late = (stepMillis: number) => Math.max(0, stepMillis - loopStepMillis);

/** Every measurement by its name, with its bars. */
const measurements: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  async decide() {
    const cells = measureDecide();
    return [...new Set(cells.map((cell) => cell.shape))].flatMap((shape) => {
      const at = (size: number) => cells.find((cell) => cell.shape === shape && cell.size === size)!;
      const [small, large] = [at(100), at(10_000)];
      return [
        { what: `${shape}: decide at 1,000 rules`, value: at(1_000).indexedNanos, unit: "ns" },
        {
          what: `${shape}: 10,000 rules against 100`,
          value: large.indexedNanos / small.indexedNanos,
          unit: "x",
          most: MOST_GROWTH,
        },
        {
          what: `${shape}: index against scan at 10,000`,
          value: large.indexedNanos / large.linearNanos,
          unit: "x",
          most: 1 / LEAST_GAIN,
        },
      ];
    });
  },
  async grpc() {
    const { cannedMicros, nodeHeapMicros, garitaMicros, ratios } = await grpcCost(5, 15, 3_000);
    const [least, middle, most] = ratios;
    const unit = "µs CPU a check";
    return [
      { what: "grpc-js that always allows, our V8 settings", value: cannedMicros, unit },
      { what: "grpc-js that always allows, Node's", value: nodeHeapMicros, unit },
      { what: "this service, 1,000 rules", value: garitaMicros, unit },
      { what: "ratio to the first", value: middle, unit: "x", most: 1.3 },
      { what: "least and", value: least, unit: "x" },
      { what: "most of five processes", value: most, unit: "x" },
      { what: "ratio to Node's settings", value: garitaMicros / nodeHeapMicros, unit: "x" },
    ];
  },
  async compile() {
    const [compiled, loaded, swapped] = [compileCost(3), loadCost(3), swapCost(5)];
    return [
      { what: "10,000 policies from YAML", value: compiled.seconds, unit: "s", most: 6 },
      { what: "100,000 rules from bytes", value: loaded.seconds, unit: "s", most: 1 },
      { what: "memory that they take", value: loaded.megabytes, unit: "MB", most: 200 },
      { what: "longest hold of the event loop by a swap", value: swapped.longestMillis, unit: "ms", most: 10 },
      { what: "processor time of its longest turn", value: swapped.longestCpuMillis, unit: "ms" },
    ];
  },
  async conditions() {
    const cost = conditionsCost(5);
    const loaded = loadConditionsCost(3);
    return [
      { what: "two comparisons", value: cost.twoComparisonsNanos, unit: "ns", most: 1_000 },
      { what: "one `matches`", value: cost.matchesNanos, unit: "ns", most: 3_000 },
      { what: "one that fails", value: cost.failureNanos, unit: "ns" },
      ...conditionCosts().map(({ what, addedNanos, most }) => ({
        what: `${what} adds to decide`,
        value: addedNanos,
        unit: "ns",
        most,
      })),
      { what: "1,000 conditions from text", value: cost.loadMillis, unit: "ms", most: 1_000 },
      { what: "1,000 rules with conditions from bytes", value: loaded.seconds, unit: "s", most: 1 },
      { what: "the dearest that compiles, on hostile input", value: cost.worstMillis, unit: "ms", most: 20 },
    ];
  },
  async ca() {
    return [...authorityRows(await authorityCost(7, 2_000)), ...restartRows(await restartCost(10_000))];
  },
  async start() {
    const cost = await startCost(5);
    return [
      { what: "first answer, 1,000 rules from bytes", value: cost.fromBytesMillis, unit: "ms", most: 300 },
      { what: "first answer, 1,000 rules from YAML", value: cost.fromYamlMillis, unit: "ms", most: 1_500 },
      { what: "resident, idle", value: cost.residentMegabytes, unit: "MB", most: 150 },
    ];
  },
  async tokens() {
    const costs = await tokenCost();
    const cold = costs.flatMap(({ algorithm, joseMicros, garitaMicros, ratio }) => [
      { what: `${algorithm}: jose, its key imported`, value: joseMicros, unit: "µs CPU a token" },
      { what: `${algorithm}: taken apart and verified`, value: garitaMicros, unit: "µs CPU a token" },
      { what: `${algorithm}: ratio`, value: ratio, unit: "x", most: 1.3 },
    ]);
    const kept = await cachedTokenCost(21, 5_000, { keep: true });
    const cut = await cachedTokenCost(21, 5_000, { keep: false });
    return [
      ...cold,
      { what: "a check whose rules look at no token", value: cut.plainMicros, unit: "µs CPU, in process" },
      { what: "a known token adds", value: kept.addedMicros, unit: "µs CPU a check", most: 5 },
      { what: "a known token that is taken out adds", value: cut.addedMicros, unit: "µs CPU a check", most: 5 },
    ];
  },
  async "deny-list"() {
    const { checkMicros, emptyMicros, fullMicros } = await denyListCost(21, 5_000);
    return [
      { what: "a check without a deny list", value: checkMicros, unit: "µs CPU, in process" },
      { what: "an empty list adds", value: emptyMicros, unit: "µs CPU a check", most: 0.2 },
      { what: "10,000 certificates and 10,000 identities add", value: fullMicros, unit: "µs CPU a check", most: 2 },
    ];
  },
  async "ca-store"() {
    const [many, one] = [await caStoreCost(3, 20_000, 64), await caStoreCost(3, 1_000, 1)];
    return [
      { what: "time of 4,000 issuances, 64 in flight", value: 4_000 / many.issuancesPerSecond, unit: "s", most: 1 },
      { what: "issuances a second", value: many.issuancesPerSecond, unit: "/s" },
      { what: "processor time of the asking thread", value: many.mainThreadMicros, unit: "µs an issuance", most: 25 },
      { what: "issuances of one write to the disk", value: many.issuancesPerTransaction, unit: "" },
      { what: "longest", value: many.longestMillis, unit: "ms" },
      { what: "issuances a second, one after the other", value: one.issuancesPerSecond, unit: "/s" },
    ];
  },
  async git() {
    const commit = await commitCost(1_000, 15);
    const reload = await reloadCost(10_000, 5);
    return [
      {
        what: "a commit of 1,000 policies, fetched and in force",
        value: commit.inForceMillis,
        unit: "ms",
        most: 1_000,
      },
      { what: "the slowest of 15", value: commit.slowestMillis, unit: "ms" },
      { what: "checks answered beside 5 reloads of 10,000 rules", value: reload.checks, unit: "" },
      {
        what: "event loop then, p99, by processor time",
        value: late(reload.reloading.busyP99Millis),
        unit: "ms late",
        most: 10,
      },
      { what: "the longest", value: late(reload.reloading.busyLongestMillis), unit: "ms late" },
      { what: "p99 without reloads", value: late(reload.quiet.busyP99Millis), unit: "ms late" },
      { what: "the longest", value: late(reload.quiet.busyLongestMillis), unit: "ms late" },
      { what: "by the clock, p99 with reloads", value: late(reload.reloading.p99Millis), unit: "ms late" },
      { what: "by the clock, p99 without", value: late(reload.quiet.p99Millis), unit: "ms late" },
    ];
  },
  async agents() {
    const cost = await agentsCost(1_000);
    return [
      { what: "resident, 1,000 agents and their streams", value: cost.heldMegabytes, unit: "MB", most: 350 },
      { what: "the most, all renewing at once too", value: cost.peakMegabytes, unit: "MB" },
      { what: "all have their first certificate after", value: cost.enrolledSeconds, unit: "s" },
      { what: "all renewed at once after", value: cost.renewedSeconds, unit: "s" },
      { what: "they renew by themselves within", value: cost.spreadMinutes, unit: "min", least: 20 },
      { what: "an idle agent of the built package", value: cost.idleAgentMegabytes, unit: "MB", most: 110 },
    ];
  },
  async "xds-push"() {
    const cost = await pushCost(1_000, 20);
    return [
      { what: "a push reaches the last of 1,000 streams", value: cost.lastP50Millis, unit: "ms", most: 100 },
      { what: "the slowest of 20 pushes", value: cost.lastMaxMillis, unit: "ms" },
      { what: "half of the streams have it", value: cost.halfP50Millis, unit: "ms" },
      { what: "a stream takes, acknowledgement included", value: cost.streamMicros, unit: "µs CPU of the server" },
      { what: "resident, with 1,000 connections", value: cost.residentMegabytes, unit: "MB" },
    ];
  },
};

const args = process.argv.slice(2);
const names = args.filter((arg) => arg !== "--check");
const unknown = names.filter((name) => !Object.hasOwn(measurements, name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(", ")}; there are ${Object.keys(measurements).join(", ")}`);
  process.exit(2);
}
console.log(machine());
let missed = 0;
for (const [name, measure] of Object.entries(measurements)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`\n${name}`);
  for (const { what, value, unit, most, least } of await measure()) {
    const fails = (most !== undefined && !(value <= most)) || (least !== undefined && !(value >= least));
    if (fails) missed += 1;
    const bar = most ?? least;
    const told = bar === undefined ? "" : `  bar ${Number(bar.toPrecision(4))}${fails ? "  MISSED" : ""}`;
    console.log(`  ${what.padEnd(46)} ${value.toPrecision(4).padStart(10)} ${unit}${told}`);
  }
}
if (missed > 0) console.log(`\n${missed} bars missed`);
if (args.includes("--check") && missed > 0) process.exitCode = 5;
