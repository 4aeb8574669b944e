import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { createLog } from "#platform/log";
import { completionOf, intentOf } from "#test/support/ca/store-records";
import { median } from "./cpu.ts";

/** The embedded store with nothing before it: an issuance is an intent and its completion, each waited for. */
export interface CaStoreCost {
  readonly issuancesPerSecond: number;
  /** Processor time of the thread that asks. */
  readonly mainThreadMicros: number;
  readonly issuancesPerTransaction: number;
  /** From the call of the intent to the completion on the disk; the longest of the middle round. */
  readonly longestMillis: number;
}

/** `inFlight` issuances at once, on a new database for each round; medians. */
export async function caStoreCost(rounds: number, issuances: number, inFlight: number): Promise<CaStoreCost> {
  const records = Array.from({ length: issuances }, (_, n) => [intentOf(n), completionOf(n)] as const);
  const samples: CaStoreCost[] = [];
  for (let round = 0; round < rounds; round++) samples.push(await runRound(records, inFlight));
  const middle = (member: keyof CaStoreCost) => median(samples.map((sample) => sample[member]));
  return {
    issuancesPerSecond: middle("issuancesPerSecond"),
    mainThreadMicros: middle("mainThreadMicros"),
    issuancesPerTransaction: middle("issuancesPerTransaction"),
    longestMillis: middle("longestMillis"),
  };
}

type Records = readonly (readonly [ReturnType<typeof intentOf>, ReturnType<typeof completionOf>])[];

async function runRound(records: Records, inFlight: number): Promise<CaStoreCost> {
  const folder = await mkdtemp(join(tmpdir(), "garita-bench-"));
  const { log } = createLog({ level: "silent" });
  const store = await openSqliteStore({ file: join(folder, "ca.db"), nowMillis: Date.now, log });
  try {
    let [next, longestMillis] = [0, 0];
    const issue = async () => {
      for (let record = records[next++]; record !== undefined; record = records[next++]) {
        const begun = performance.now();
        const outcome = await store.recordIntent(record[0]);
        if (!outcome.ok) throw new Error(`an intent was refused: ${outcome.fault}`);
        await store.recordCompletion(record[1]);
        longestMillis = Math.max(longestMillis, performance.now() - begun);
      }
    };
    const [begun, cpuBefore, transactions] = [
      performance.now(),
      process.threadCpuUsage(),
      store.counters.transactions(),
    ];
    await Promise.all(Array.from({ length: inFlight }, issue));
    const cpu = process.threadCpuUsage(cpuBefore);
    return {
      issuancesPerSecond: (records.length / (performance.now() - begun)) * 1_000,
      mainThreadMicros: (cpu.user + cpu.system) / records.length,
      issuancesPerTransaction: records.length / (store.counters.transactions() - transactions),
      longestMillis,
    };
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}
