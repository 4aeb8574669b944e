import { readFileSync } from "node:fs";
import type { Credentials } from "#ca/callers/contract";
import { type Scene, webId } from "#test/support/ca/scene";
import { freshRequests, presentedChain } from "./ca-requests.ts";
import { cpuTimes, spentNanos } from "./cpu.ts";

/** Processor time of one certificate that was issued with its record, microseconds. */
export interface RecordedCost {
  /** All threads. */
  readonly micros: number;
  /** The thread of the database alone. */
  readonly storeMicros: number;
  /** By the clock: what else the machine does and how long its disk takes shows in it. */
  readonly clockMicros: number;
}

/** The credentials of a workload that was issued a certificate before. */
export async function enrol(scene: Scene, operator: Credentials, remoteAddress: string): Promise<Credentials> {
  const [request] = freshRequests(1, webId);
  const answer = await scene.issue({ csrPem: request!.csrPem, spiffeId: webId, credentials: operator });
  if (!answer.ok) throw new Error(`not enrolled: ${answer.code}`);
  return { clientCertificates: presentedChain(answer.chain), bearer: undefined, operatorSocket: false, remoteAddress };
}

/** Issues a certificate for each request, so many at a time, by the service's one verb: recorded twice, on the disk, before it is answered. */
export async function recordedCost(
  scene: Scene,
  credentials: Credentials,
  csrPems: readonly string[],
  atATime: number,
): Promise<RecordedCost> {
  const before = cpuTimes(process.pid);
  const begunMillis = performance.now();
  let next = 0;
  const lane = async () => {
    for (let csrPem = csrPems[next++]; csrPem !== undefined; csrPem = csrPems[next++]) {
      const answer = await scene.issue({ csrPem, credentials });
      if (!answer.ok) throw new Error(`refused: ${answer.code}`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  const clockMillis = performance.now() - begunMillis;
  const after = cpuTimes(process.pid);
  const isStore = ([task]: readonly [string, number]) => threadName(task) === storeThread;
  const storeOnly = (times: ReadonlyMap<string, number>) => new Map([...times].filter(isStore));
  return {
    micros: spentNanos(before, after) / 1000 / csrPems.length,
    storeMicros: spentNanos(storeOnly(before), storeOnly(after)) / 1000 / csrPems.length,
    clockMicros: (clockMillis * 1000) / csrPems.length,
  };
}

/** As the store names its thread; Linux keeps 15 characters. */
const storeThread = "garita-store";

function threadName(task: string): string {
  return readFileSync(`/proc/${process.pid}/task/${task}/comm`, "utf8").trim();
}
