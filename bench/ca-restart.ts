import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sceneDomain } from "#test/support/ca/scene";
import { type AuthorityServer, type EnrolledAgent, type LoopDelay, startAuthorityServer } from "./ca-server.ts";
import { cpuTimes, spentNanos } from "./cpu.ts";

/** What the program with the agents is told. */
export interface RestartedMesh {
  readonly port: number;
  readonly roots: string;
  readonly agents: readonly EnrolledAgent[];
  /** So many agents have one address. */
  readonly agentsOfMachine: number;
  /** They begin within this time. */
  readonly spreadMillis: number;
  /** Whoever has no certificate by then is given up. */
  readonly patienceMillis: number;
}

/** What became of the agents. */
export interface MeshOutcome {
  readonly served: number;
  /** Connections that were tried. */
  readonly attempts: number;
  /** Attempts that failed, by the reason that the agent saw. */
  readonly faults: Readonly<Record<string, number>>;
  /** Until the last one was served. */
  readonly seconds: number;
  /** From an agent's start to its certificate, whatever it took. */
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly clientCpuSeconds: number;
}

export interface RestartCost {
  readonly agents: number;
  readonly outcome: MeshOutcome;
  readonly loopDelay: LoopDelay;
  /** The most that was ever resident, and what is when all have their certificates and hold their connections. */
  readonly peakMegabytes: number;
  readonly heldMegabytes: number;
  /** Processor time of the service, for one agent: its handshake, its certificate chain, its request. */
  readonly micros: number;
}

const agentsOfMachine = 50;
const agentsOfWorkload = 20;
/** And one workload with so many replicas. */
const largestWorkload = 1_000;

/**
 * All agents of a mesh restart within a second: each makes a connection of its own, with the certificate that it had before, and asks for another for a new key, as pilot-agent does and as
 * often. The service has its default limits. Agents and service share this machine's processors, so that the event loop also waits for its turn on one of them.
 */
export async function restartCost(count: number): Promise<RestartCost> {
  const identities = Array.from({ length: count }, (_, i) => {
    const workload = i < largestWorkload ? "largest" : `workload-${Math.floor(i / agentsOfWorkload)}`;
    return `spiffe://${sceneDomain}/ns/bench/sa/${workload}`;
  });
  const server = await startAuthorityServer({ issuer: "P-256", identities, limits: undefined });
  const mesh = { agentsOfMachine, spreadMillis: 1_000, patienceMillis: 180_000, ...server };
  const clients = await startAgents(mesh);
  try {
    await server.loopDelay();
    const before = cpuTimes(server.pid);
    const outcome = await clients.restart();
    const loopDelay = await server.loopDelay();
    const micros = spentNanos(before, cpuTimes(server.pid)) / 1000 / count;
    const [peakMegabytes, heldMegabytes] = residentMegabytes(server.pid);
    return { agents: count, outcome, loopDelay, peakMegabytes, heldMegabytes, micros };
  } finally {
    await clients.stop();
    await server.stop();
  }
}

async function startAgents({ port, roots, agents, ...how }: RestartedMesh & AuthorityServer) {
  const folder = mkdtempSync(join(tmpdir(), "garita-bench-"));
  const file = join(folder, "mesh.json");
  const { agentsOfMachine, spreadMillis, patienceMillis } = how;
  const mesh: RestartedMesh = { port, roots, agents, agentsOfMachine, spreadMillis, patienceMillis };
  writeFileSync(file, JSON.stringify(mesh), { mode: 0o600 });
  const program = fileURLToPath(new URL("./ca-restart-agents.ts", import.meta.url));
  const child = spawn(process.execPath, [program, file], { stdio: ["pipe", "inherit", "inherit", "ipc"] });
  await once(child, "message");
  return {
    async restart(): Promise<MeshOutcome> {
      child.send("restart");
      const [outcome] = await once(child, "message");
      return outcome as MeshOutcome;
    },
    async stop() {
      const ended = once(child, "exit");
      child.stdin?.end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The most that was resident, and what is now. */
function residentMegabytes(pid: number): readonly [peak: number, now: number] {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return [(kilobytes("VmHWM") * 1024) / 1e6, (kilobytes("VmRSS") * 1024) / 1e6];
}
