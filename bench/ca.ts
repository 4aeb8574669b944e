import { rmSync } from "node:fs";
import { createLog } from "#platform/log";
import { openScene, operator, type Scene, sceneDomain, webId } from "#test/support/ca/scene";
import { type ConnectedAgents, connectAgents } from "./ca-agents.ts";
import { type Cycle, type CycleStage, createCycle } from "./ca-cycle.ts";
import { type IssuerKind, limitMicros, type SignatureCosts, signatureCosts } from "./ca-limit.ts";
import { enrol, type RecordedCost, recordedCost } from "./ca-record.ts";
import { freshRequests } from "./ca-requests.ts";
import { type AuthorityServer, startAuthorityServer } from "./ca-server.ts";
import { cpuTimes, median, spentNanos } from "./cpu.ts";

/** Processor time of one certificate for a P-256 request, microseconds; medians of the rounds. */
export interface IssuingCost {
  readonly micros: number;
  /** The limit of the same round by it: 1 would be nothing but the signatures. */
  readonly fraction: number;
}

export interface AuthorityCost {
  readonly costs: SignatureCosts;
  /** Everything but the record, in process. */
  readonly cycle: Readonly<Record<IssuerKind, IssuingCost>>;
  /** With the record, in process, P-256 issuer: all threads, and of those the database's. */
  readonly recorded: IssuingCost & { readonly storeMicros: number; readonly clockMicros: number };
  /** Over gRPC with TLS on both sides, and the record. */
  readonly served: Readonly<Record<IssuerKind, IssuingCost>>;
  /** Parts of the cycle, P-256 issuer, microseconds. */
  readonly stages: Readonly<Record<CycleStage, number>>;
}

/** What one certificate takes from an agent that asks over a connection of its own. */
const agents = 128;
const wideLimits =
  "{ perAddressPerSecond: 1000000, perAddressBurst: 1000000, perCallerPerSecond: 1000000, perCallerBurst: 1000000 }";
const kinds: readonly IssuerKind[] = ["P-256", "RSA-2048"];

/**
 * What a certificate takes, against what its signatures alone would: `openssl speed`, in turn with everything else, round by round, for what else the machine does changes
 * by the second. Each request has a key that no cache has seen. The services have limits so wide that none counts.
 */
export async function authorityCost(rounds: number, requests: number): Promise<AuthorityCost> {
  const { log } = createLog({ level: "info", stream: { write: () => undefined } });
  const scenes = await byKind((kind) => openScene({ issuingKeyKind: kind, log }));
  const identities = Array.from({ length: agents }, (_, i) => `spiffe://${sceneDomain}/ns/bench/sa/agent-${i}`);
  const servers = await byKind((issuer) => startAuthorityServer({ issuer, identities, limits: wideLimits }));
  const connected = await byKind((issuer) => connectAgents(servers[issuer]));
  try {
    return await measure({ scenes, servers, connected }, rounds, requests);
  } finally {
    for (const kind of kinds) {
      connected[kind].close();
      await servers[kind].stop();
      await scenes[kind].close();
      rmSync(scenes[kind].folder, { recursive: true, force: true });
    }
  }
}

interface Round {
  readonly costs: SignatureCosts;
  readonly cycle: Readonly<Record<IssuerKind, number>>;
  readonly recorded: RecordedCost;
  readonly served: Readonly<Record<IssuerKind, number>>;
  readonly stages: Readonly<Record<CycleStage, number>>;
}

interface Measured {
  readonly scenes: Readonly<Record<IssuerKind, Scene>>;
  readonly servers: Readonly<Record<IssuerKind, AuthorityServer>>;
  readonly connected: Readonly<Record<IssuerKind, ConnectedAgents>>;
}

async function measure(
  { scenes, servers, connected }: Measured,
  rounds: number,
  requests: number,
): Promise<AuthorityCost> {
  const cycles = await byKind((kind) => createCycle(scenes[kind].authority.authorities.current(), webId));
  const credentials = await enrol(scenes["P-256"], operator, "127.0.0.1");
  const taken: Round[] = [];
  for (let round = -warmRounds; round < rounds; round++) {
    const csrPems = freshRequests(requests, webId).map(({ csrPem }) => csrPem);
    const costs = await signatureCosts();
    const cycle = await byKind((kind) => cycleMicros(cycles[kind], csrPems));
    const recorded = await recordedCost(scenes["P-256"], credentials, csrPems, agents);
    const served = await byKind((kind) => servedMicros(servers[kind], connected[kind], csrPems));
    const stages = cycles["P-256"].stages(csrPems);
    if (round >= 0) taken.push({ costs, cycle, recorded, served, stages });
  }
  const middle = (of: (round: Round) => number) => median(taken.map(of));
  const issuing = (kind: IssuerKind, micros: (round: Round) => number): IssuingCost => ({
    micros: middle(micros),
    fraction: middle((round) => limitMicros(round.costs, kind) / micros(round)),
  });
  return {
    costs: {
      p256SignMicros: middle(({ costs }) => costs.p256SignMicros),
      p256VerifyMicros: middle(({ costs }) => costs.p256VerifyMicros),
      rsa2048SignMicros: middle(({ costs }) => costs.rsa2048SignMicros),
    },
    cycle: await byKind((kind) => issuing(kind, ({ cycle }) => cycle[kind])),
    recorded: {
      ...issuing("P-256", ({ recorded }) => recorded.micros),
      storeMicros: middle(({ recorded }) => recorded.storeMicros),
      clockMicros: middle(({ recorded }) => recorded.clockMicros),
    },
    served: await byKind((kind) => issuing(kind, ({ served }) => served[kind])),
    stages: Object.fromEntries(
      Object.keys(taken[0]!.stages).map((stage) => [stage, middle(({ stages }) => stages[stage as CycleStage])]),
    ) as Record<CycleStage, number>,
  };
}

/** All is compiled and has its heap before anything counts. */
const warmRounds = 3;

function cycleMicros(cycle: Cycle, csrPems: readonly string[]): number {
  const before = cpuTimes(process.pid);
  for (const csrPem of csrPems) cycle.issue(csrPem);
  return spentNanos(before, cpuTimes(process.pid)) / 1000 / csrPems.length;
}

async function servedMicros(
  { pid }: AuthorityServer,
  agents: ConnectedAgents,
  csrPems: readonly string[],
): Promise<number> {
  const before = cpuTimes(pid);
  await agents.renew(csrPems);
  return spentNanos(before, cpuTimes(pid)) / 1000 / csrPems.length;
}

async function byKind<T>(of: (kind: IssuerKind) => T | Promise<T>): Promise<Readonly<Record<IssuerKind, T>>> {
  return { "P-256": await of("P-256"), "RSA-2048": await of("RSA-2048") };
}
