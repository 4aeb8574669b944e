import { rmSync } from "node:fs";
import { caDefaults } from "#cli/config/ca-defaults";
import { createLog } from "#platform/log";
import { openScene, operator, type Scene, sceneDomain, webId } from "#test/support/ca/scene";
import { type ConnectedAgents, connectAgents } from "./ca-agents.ts";
import { type AuthenticationCost, authenticationCost } from "./ca-authenticate.ts";
import { type Cycle, type CycleStage, createCycle } from "./ca-cycle.ts";
import { type IssuerKind, limitMicros, type SignatureCosts, signatureCosts } from "./ca-limit.ts";
import { enrol, type RecordedCost, recordedCost } from "./ca-record.ts";
import { freshRequests } from "./ca-requests.ts";
import { type AuthorityServer, startAuthorityServer } from "./ca-server.ts";
import { cpuTimes, median, spentNanos } from "./cpu.ts";

/** Processor time of one certificate for a P-256 request. */
export interface IssuingCost {
  /** Median of the rounds. */
  readonly micros: number;
  /** The limit by it, round by round, median: 1 would be nothing but the signatures. */
  readonly fraction: number;
}

export interface AuthorityCost {
  readonly costs: SignatureCosts;
  /** Everything but the record, in process. */
  readonly cycle: Readonly<Record<IssuerKind, IssuingCost>>;
  /** With the record, in process, P-256 issuer. */
  readonly recorded: IssuingCost & RecordedCost;
  /** Over gRPC with TLS on both sides, with the record, in a process of its own. */
  readonly served: Readonly<Record<IssuerKind, IssuingCost>>;
  /** Parts of the cycle, P-256 issuer, microseconds. */
  readonly stages: Readonly<Record<CycleStage, number>>;
  readonly authentication: AuthenticationCost;
}

/** Agents with a connection each, and one request at a time. */
const agents = 128;
const identities = Array.from({ length: agents }, (_, i) => `spiffe://${sceneDomain}/ns/bench/sa/agent-${i}`);
/** Of 128 agents no rate may count, which are for the ten thousand. */
const wide = 1_000_000;
const wideRates = { perAddressPerSecond: wide, perAddressBurst: wide, perCallerPerSecond: wide, perCallerBurst: wide };
const { inFlight, waiting } = caDefaults.limits;

/**
 * What a certificate takes, against what its signatures alone would: `openssl speed`, in turn with everything else, round by round, for what else the machine does
 * changes by the second. Each request is of a key that nobody has seen, as those of agents are.
 */
export async function authorityCost(rounds: number, requests: number): Promise<AuthorityCost> {
  const { log } = createLog({ level: "info", stream: { write: () => undefined } });
  const configuration = { rates: wideRates, admission: { inFlight, waiting, waitingBytes: 64 * 2 ** 20 } };
  const scenes = await byKind((kind) => openScene({ issuingKeyKind: kind, log, configuration }));
  const limits = JSON.stringify(wideRates);
  const servers = await byKind((issuer) => startAuthorityServer({ issuer, identities, limits }));
  const connected = await byKind((issuer) => connectAgents(servers[issuer]));
  try {
    return await measure({ scenes, servers, connected }, rounds, requests);
  } finally {
    for (const kind of kinds) {
      await connected[kind].stop();
      await servers[kind].stop();
      await scenes[kind].close();
      rmSync(scenes[kind].folder, { recursive: true, force: true });
    }
  }
}

interface Measured {
  readonly scenes: Readonly<Record<IssuerKind, Scene>>;
  readonly servers: Readonly<Record<IssuerKind, AuthorityServer>>;
  readonly connected: Readonly<Record<IssuerKind, ConnectedAgents>>;
}

interface Round {
  readonly costs: SignatureCosts;
  readonly cycle: Readonly<Record<IssuerKind, number>>;
  readonly recorded: RecordedCost;
  readonly served: Readonly<Record<IssuerKind, number>>;
  readonly stages: Readonly<Record<CycleStage, number>>;
}

/** All is compiled and has its heap before anything counts. */
const warmRounds = 6;

async function measure(
  { scenes, servers, connected }: Measured,
  rounds: number,
  requests: number,
): Promise<AuthorityCost> {
  const scene = scenes["P-256"];
  const cycles = await byKind((kind) => createCycle(scenes[kind].authority.authorities.current(), webId));
  const callers = await Promise.all(Array.from({ length: 1_000 }, () => enrol(scene, operator, "127.0.0.1")));
  const csrPems = () => freshRequests(requests, webId).map(({ csrPem }) => csrPem);
  const work = async (pems: readonly string[]) => ({
    cycle: await byKind((kind) => cycleMicros(cycles[kind], pems)),
    recorded: await recordedCost(scene, callers[0]!, pems, agents),
    served: await byKind((kind) => servedMicros(servers[kind], connected[kind], requests)),
    stages: cycles["P-256"].stages(pems),
  });
  for (let round = 0; round < warmRounds; round++) await work(csrPems());
  const taken: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const pems = csrPems();
    taken.push({ costs: await signatureCosts(), ...(await work(pems)) });
  }
  return { ...medians(taken), authentication: await authenticationCost(scene.authority.authorities, callers) };
}

function medians(rounds: readonly Round[]): Omit<AuthorityCost, "authentication"> {
  const middle = (of: (round: Round) => number) => median(rounds.map(of));
  const members = <Name extends string>(of: (round: Round) => Readonly<Record<Name, number>>) =>
    Object.fromEntries(
      Object.keys(of(rounds[0]!)).map((name) => [name, middle((round) => of(round)[name as Name])]),
    ) as Record<Name, number>;
  const issuing = (kind: IssuerKind, micros: (round: Round) => number): IssuingCost => ({
    micros: middle(micros),
    fraction: middle((round) => limitMicros(round.costs, kind) / micros(round)),
  });
  return {
    costs: members(({ costs }) => costs),
    cycle: {
      "P-256": issuing("P-256", ({ cycle }) => cycle["P-256"]),
      "RSA-2048": issuing("RSA-2048", ({ cycle }) => cycle["RSA-2048"]),
    },
    recorded: {
      ...members(({ recorded }) => recorded),
      ...issuing("P-256", ({ recorded }) => recorded.micros),
    },
    served: {
      "P-256": issuing("P-256", ({ served }) => served["P-256"]),
      "RSA-2048": issuing("RSA-2048", ({ served }) => served["RSA-2048"]),
    },
    stages: members(({ stages }) => stages),
  };
}

function cycleMicros(cycle: Cycle, csrPems: readonly string[]): number {
  const before = cpuTimes(process.pid);
  for (const csrPem of csrPems) cycle.issue(csrPem);
  return spentNanos(before, cpuTimes(process.pid)) / 1000 / csrPems.length;
}

async function servedMicros({ pid }: AuthorityServer, connected: ConnectedAgents, count: number): Promise<number> {
  let nanos = 0;
  await connected.renew(count, () => {
    const before = cpuTimes(pid);
    return () => {
      nanos = spentNanos(before, cpuTimes(pid));
    };
  });
  return nanos / 1000 / count;
}

const kinds: readonly IssuerKind[] = ["P-256", "RSA-2048"];

async function byKind<T>(of: (kind: IssuerKind) => T | Promise<T>): Promise<Readonly<Record<IssuerKind, T>>> {
  return { "P-256": await of("P-256"), "RSA-2048": await of("RSA-2048") };
}
