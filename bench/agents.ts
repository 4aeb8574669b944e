import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AgentStatusShape } from "#cli/agent/status-shape";
import { clientOf } from "#cli/ca/client";
import { cli } from "#test/support/cli/run-cli";
import { residentBytes } from "./cpu.ts";

/** A thousand identities of agents on one service: a connection, a stream and a certificate each. */
export interface AgentsCost {
  readonly agents: number;
  /** From the start of the agents until all have a certificate. */
  readonly enrolledSeconds: number;
  /** Of the service, when all have one and hold their streams. */
  readonly heldMegabytes: number;
  /** The most that it ever had, in the renewals too. */
  readonly peakMegabytes: number;
  /** All renew at once, as nobody does by himself: until all have. */
  readonly renewedSeconds: number;
  /** Between the renewals that come first and last by themselves, of those that were answered together. */
  readonly spreadMinutes: number;
  /** An agent of one identity from the built package, when it has its certificate. */
  readonly idleAgentMegabytes: number;
}

/** The built program: memory is measured as it is installed. */
const program = fileURLToPath(new URL("../dist/bin/garita.js", import.meta.url));
const trustDomain = "hello.mesh";
/** Each process keeps so many identities, every one with a channel, a socket and a key of its own: for the service they are agents. */
const identitiesOfProcess = 250;

export async function agentsCost(agents: number): Promise<AgentsCost> {
  if (!existsSync(program)) execFileSync("npm", ["run", "-s", "build"], { cwd: join(program, "../../..") });
  const folder = mkdtempSync(join(tmpdir(), "garita-bench-"));
  const children: ChildProcess[] = [];
  const start = (args: readonly string[]) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    return child;
  };
  try {
    const ids = Array.from({ length: agents + 1 }, (_, i) => `spiffe://${trustDomain}/ns/bench/sa/agent-${i}`);
    const service = await startService(folder, ids, start);
    const idleAgentMegabytes = await idleAgent(
      start(["agent", "--config", agentConfig(folder, "alone", ids.slice(agents), service)]),
      join(folder, "alone.sock"),
    );
    const begun = performance.now();
    const processes = chunked(ids.slice(0, agents), identitiesOfProcess).map((each, i) => {
      const child = start(["agent", "--config", agentConfig(folder, `fleet-${i}`, each, service)]);
      child.stdout?.resume();
      return join(folder, `fleet-${i}.sock`);
    });
    await Promise.all(processes.map((socket) => untilValid(socket)));
    const enrolledSeconds = (performance.now() - begun) / 1000;
    const next = (await Promise.all(processes.map((socket) => asked("status", socket))))
      .flatMap(({ identities }) => identities.map((identity) => Date.parse(identity.next ?? "")))
      .toSorted((a, b) => a - b);
    await delay(5_000);
    const heldMegabytes = residentBytes(service.pid) / 1e6;
    const renewing = performance.now();
    await Promise.all(processes.map((socket) => asked("renew", socket)));
    const renewedSeconds = (performance.now() - renewing) / 1000;
    return {
      agents,
      enrolledSeconds,
      heldMegabytes,
      peakMegabytes: peakMegabytes(service.pid),
      renewedSeconds,
      spreadMinutes: (next.at(-1)! - next[0]!) / 60_000,
      idleAgentMegabytes,
    };
  } finally {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends it afterwards: the service takes a thousand connections of one address. */
async function idleAgent(child: ChildProcess, socket: string): Promise<number> {
  child.stdout?.resume();
  await untilValid(socket);
  await delay(10_000);
  const megabytes = residentBytes(child.pid!) / 1e6;
  await end(child);
  return megabytes;
}

interface BenchService {
  readonly pid: number;
  readonly port: number;
  readonly socket: string;
}

async function startService(
  folder: string,
  ids: readonly string[],
  start: (args: readonly string[]) => ChildProcess,
): Promise<BenchService> {
  mkdirSync(join(folder, "policies"));
  writeFileSync(join(folder, "policies", "mesh.yaml"), `trustDomain: ${trustDomain}\n`);
  const registrations = ids.map((id, i) =>
    JSON.stringify({
      apiVersion: "garita.dev/v1alpha1",
      kind: "WorkloadRegistration",
      metadata: { name: `agent-${i}`, namespace: "bench" },
      spec: { spiffeId: id, callers: [{ joinToken: {} }, { spiffeId: id }] },
    }),
  );
  writeFileSync(join(folder, "policies", "agents.yaml"), registrations.join("\n---\n"));
  const socket = join(folder, "ca.sock");
  const config = join(folder, "garita.yaml");
  const many = 1_000_000;
  const limits = { perAddressPerSecond: many, perAddressBurst: many, perCallerPerSecond: many, perCallerBurst: many };
  const ca = {
    trustDomain,
    store: "ca.sqlite",
    keyEncryptionKeyFile: "kek",
    serverNames: ["localhost"],
    grpc: { address: "127.0.0.1:0" },
    socket,
    limits,
  };
  const listener = { name: "checks", protocol: "grpc", address: "127.0.0.1:0" };
  writeFileSync(config, JSON.stringify({ listeners: [listener], policies: { directory: "policies" }, ca }));
  await cli(["ca", "init", "--new-key-encryption-key", "--config", config]);
  const child = start(["serve", "--config", config]);
  const port = await portOf(child);
  const client = clientOf({ name: socket, where: { socketPath: socket }, secure: false });
  for (const [i, spiffeId] of ids.entries()) {
    const { token } = (await client.post("/v1/ca/tokens", { spiffeId, ttlSeconds: 3600 })) as {
      readonly token: string;
    };
    writeFileSync(join(folder, `${i}.token`), token, { mode: 0o600 });
  }
  return { pid: child.pid!, port, socket };
}

function agentConfig(folder: string, name: string, ids: readonly string[], { port }: BenchService): string {
  const file = join(folder, `${name}.json`);
  const identities = ids.map((spiffeId) => {
    const number = spiffeId.slice(spiffeId.lastIndexOf("-") + 1);
    return { spiffeId, socket: join(folder, `${number}.sock`), joinTokenFile: join(folder, `${number}.token`) };
  });
  const authority = { address: `127.0.0.1:${port}`, serverName: "localhost" };
  const config = { authority, stateFolder: `${name}-state`, statusSocket: `${name}.sock`, identities };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function portOf(child: ChildProcess): Promise<number> {
  for await (const line of linesOf(child)) {
    const port = /"listener":"ca-grpc","address":"127\.0\.0\.1:(\d+)"/.exec(line)?.[1];
    if (port === undefined) continue;
    child.stdout?.resume();
    return Number(port);
  }
  throw new Error("the service ended");
}

async function* linesOf({ stdout }: ChildProcess): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stdout!.iterator({ destroyOnReturn: false })) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

async function asked(verb: "status" | "renew", socket: string): Promise<AgentStatusShape> {
  const { out } = await cli(["agent", verb, "--socket", socket, "--format", "json"]);
  return out === "" ? { version: "", identities: [] } : (JSON.parse(out) as AgentStatusShape);
}

async function untilValid(socket: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const { identities } = await asked("status", socket);
    if (identities.length > 0 && identities.every(({ state }) => state === "valid")) return;
    await delay(200);
  }
  throw new Error("not every agent has a certificate after two minutes");
}

function peakMegabytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}

function chunked<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
