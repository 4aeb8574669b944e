import { cpuNanos, median } from "./cpu.ts";
import { sendChecks } from "./grpc-load.ts";
import { meshFolder } from "./policies.ts";
import { benchRequest } from "./request.ts";
import { type MeasuredServer, startGarita, startServer } from "./server.ts";

export interface GrpcCost {
  /** Processor time of one check, microseconds, median of the rounds. */
  readonly cannedMicros: number;
  readonly garitaMicros: number;
  /** Median of the ratios round by round. */
  readonly ratio: number;
}

/**
 * Rounds are short and many, because what else the machine does changes by the second.
 * What one gRPC check costs against a grpc-js server that decodes nothing and always allows: same client, interleaved rounds, processor time of the server's
 * process by the scheduler. 1,000 rules, 1.6 kB requests that match one of them.
 */
export async function grpcCost(rounds: number, requests: number): Promise<GrpcCost> {
  const rules = 1_000;
  // Every seventh policy is a DENY: take workloads whose own policy allows.
  const messages = Array.from({ length: rules }, (_, i) => i)
    .filter((i) => i % 7 !== 3)
    .slice(0, 200)
    .map(benchRequest);
  const canned = await startServer("bench/canned-server.ts", [], /listening on (\S+)/);
  const garita = await startGarita("cli/main.ts", meshFolder(rules));
  try {
    const once = async (server: MeasuredServer): Promise<number> => {
      const before = cpuNanos(server.pid);
      await sendChecks({ address: server.address, connections: 4, streams: 10, requests }, messages);
      return (cpuNanos(server.pid) - before) / requests / 1000;
    };
    // Both are compiled and have their heap before anything counts.
    for (let warm = 0; warm < 10; warm++) {
      await once(canned);
      await once(garita);
    }
    const costs: { canned: number; garita: number }[] = [];
    for (let round = 0; round < rounds; round++) costs.push({ canned: await once(canned), garita: await once(garita) });
    return {
      cannedMicros: median(costs.map((c) => c.canned)),
      garitaMicros: median(costs.map((c) => c.garita)),
      ratio: median(costs.map((c) => c.garita / c.canned)),
    };
  } finally {
    await canned.stop();
    await garita.stop();
  }
}
