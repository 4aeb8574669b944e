import { cpuTimes, median, spentNanos } from "./cpu.ts";
import { sendChecks } from "./grpc-load.ts";
import { meshFolder } from "./policies.ts";
import { benchRequest } from "./request.ts";
import { type MeasuredServer, startGarita, startServer } from "./server.ts";

export interface GrpcCost {
  /** Processor time of one check, microseconds, median of the processes: the yardstick, and the yardstick with Node's own settings of V8. */
  readonly cannedMicros: number;
  readonly nodeHeapMicros: number;
  readonly garitaMicros: number;
  /** This service against the yardstick: the smallest, the median and the largest of the processes' ratios, each of medians of rounds. */
  readonly ratios: readonly [least: number, middle: number, most: number];
}

const variants = ["canned", "nodeHeap", "garita"] as const;
type Costs = Record<(typeof variants)[number], number>;

/**
 * What one gRPC check costs against a grpc-js server that decodes nothing and always allows: same client, same settings, processor time of the server's
 * process by the scheduler. 1,000 rules, 1.6 kB requests that match one of them. Processes are started anew several times, since what V8 makes of
 * one differs from the next by more than what is measured; within them rounds are short and interleaved, because what else the machine does
 * changes by the second.
 */
export async function grpcCost(processes: number, rounds: number, requests: number): Promise<GrpcCost> {
  const costs: Costs[] = [];
  for (let i = 0; i < processes; i++) costs.push(await costOfProcesses(rounds, requests));
  const ratios = costs.map(({ garita, canned }) => garita / canned);
  return {
    cannedMicros: median(costs.map(({ canned }) => canned)),
    nodeHeapMicros: median(costs.map(({ nodeHeap }) => nodeHeap)),
    garitaMicros: median(costs.map(({ garita }) => garita)),
    ratios: [Math.min(...ratios), median(ratios), Math.max(...ratios)],
  };
}

async function costOfProcesses(rounds: number, requests: number): Promise<Costs> {
  const rules = 1_000;
  // Every seventh policy is a DENY: take workloads whose own policy allows.
  const messages = Array.from({ length: rules }, (_, i) => i)
    .filter((i) => i % 7 !== 3)
    .slice(0, 200)
    .map(benchRequest);
  const listening = /listening on (\S+)/;
  const servers: Record<keyof Costs, MeasuredServer> = {
    canned: await startServer("bench/canned-server.ts", [], listening),
    nodeHeap: await startServer("bench/canned-server.ts", ["--node-heap"], listening),
    garita: await startGarita("cli/main.ts", meshFolder(rules)),
  };
  try {
    const once = async ({ pid, address }: MeasuredServer): Promise<number> => {
      const before = cpuTimes(pid);
      await sendChecks({ address, connections: 4, streams: 10, requests }, messages);
      return spentNanos(before, cpuTimes(pid)) / requests / 1000;
    };
    // All are compiled and have their heap before anything counts.
    for (let warm = 0; warm < 10; warm++) for (const name of variants) await once(servers[name]);
    const measured: Record<keyof Costs, number[]> = { canned: [], nodeHeap: [], garita: [] };
    for (let round = 0; round < rounds; round++) {
      for (const name of variants) measured[name].push(await once(servers[name]));
    }
    const { canned, nodeHeap, garita } = measured;
    return { canned: median(canned), nodeHeap: median(nodeHeap), garita: median(garita) };
  } finally {
    for (const name of variants) await servers[name].stop();
  }
}
