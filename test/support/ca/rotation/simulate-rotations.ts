import { generateKey } from "#ca/authorities/generate-key";
import { verifySvid } from "#ca/x509/verify-svid";
import { Random } from "#test/support/random";
import { EventQueue } from "./event-queue.ts";
import { type Breakage, openSimulatedAuthority, type SimulatedAuthority } from "./simulated-authority.ts";
import { type Mesh, SimulatedProxy } from "./simulated-proxy.ts";
import { TrustOracle } from "./trust-oracle.ts";

const hour = 3_600_000;
const day = 24 * hour;

export interface SimulationResult {
  /** Pairs that could not have completed a handshake. */
  readonly violations: readonly string[];
  readonly rotations: number;
  readonly aborted: number;
  readonly removed: number;
  /** Pairs of real certificates that were verified, both ways. */
  readonly verified: number;
  /** How often somebody took a stance that nobody had. */
  readonly checks: number;
  readonly sequences: readonly number[];
}

/**
 * Years of a mesh whose root is replaced twice a year: proxies come and go, lose answers, are cut off, refuse bundles, renew by certificate or token, for a new key or the same. Nobody is ever waived, nothing forced.
 * The same seed simulates the same.
 */
export async function simulateRotations(
  seed: number,
  {
    years,
    proxies: count,
    agentsOfTen = 4,
    isCalm = false,
    broken = {},
  }: {
    readonly years: number;
    readonly proxies: number;
    readonly agentsOfTen?: number;
    readonly isCalm?: boolean;
    readonly broken?: Breakage;
  },
): Promise<SimulationResult> {
  const random = new Random(seed);
  const queue = new EventQueue(Date.UTC(2030, 0, 1));
  const oracle = new TrustOracle();
  let numbers = 0;
  let proxies: SimulatedProxy[] = [];
  const streams = () => proxies.flatMap(({ stream }) => (stream === undefined ? [] : [stream]));
  const leafMillis = 7 * day;
  const authority: SimulatedAuthority = await openSimulatedAuthority(queue, leafMillis, streams, broken);
  const mesh: Mesh = { queue, random, authority: () => authority, oracle, leafMillis, isCalm, next: () => ++numbers };
  const kind = () => (random.below(10) < agentsOfTen ? "agent" : "pilot");
  const sampled: SimulatedProxy[] = [];
  for (let i = 0; i < 6; i++)
    sampled.push(new SimulatedProxy(mesh, i % 2 === 0 ? "agent" : kind(), (await generateKey("P-256")).publicKey));
  proxies = [...sampled];
  const fill = () => {
    proxies = proxies.filter(({ isGone }) => !isGone);
    while (proxies.length < count) proxies.push(new SimulatedProxy(mesh, kind()));
    queue.after(day, fill);
  };
  fill();

  let verified = 0;
  const verifyAll = () => {
    for (const one of sampled)
      for (const other of sampled) {
        const [presented, verifier] = [one.real, other.real];
        if (one === other || presented === undefined || verifier === undefined) continue;
        const verdict = verifySvid(presented.chain, () => verifier.anchors(), queue.nowMillis);
        const expected = other.stance!.trust.roots.has(one.stance!.leafRoot);
        if (verdict.ok !== expected)
          throw new Error(`the model says ${expected}, and the verifier ${JSON.stringify(verdict)}`);
        verified++;
      }
  };
  const sequences: number[] = [];
  const { rotation, authorities } = authority;
  authorities.subscribe(() => {
    const { sequence } = authorities.current().bundle;
    if (sequence !== sequences.at(-1)) for (const proxy of proxies) proxy.push();
    sequences.push(sequence);
    for (const delayMillis of [60_000, hour, day]) queue.after(delayMillis, verifyAll);
  });
  const counts = { rotations: 0, aborted: 0 };
  const look = async () => {
    await authorities.lookAfter();
    await rotation.lookAfter();
    const isMoving = rotation.summary().state !== undefined;
    queue.after(isMoving ? 300_000 + random.below(3 * hour) : day, look);
  };
  const rotate = async () => {
    await rotation.rotate("the simulation");
    counts.rotations++;
    for (const delayMillis of [200_000, 400_000]) queue.after(delayMillis, () => rotation.lookAfter());
    if (random.below(5) === 0)
      queue.after(random.below(3 * day), async () => {
        await rotation.abort("the simulation").then(
          () => counts.aborted++,
          () => undefined,
        );
      });
    queue.after(150 * day + random.below(60 * day), rotate);
  };
  queue.after(day, look);
  queue.after(20 * day + random.below(20 * day), rotate);
  const weekly = () => {
    verifyAll();
    queue.after(7 * day, weekly);
  };
  weekly();

  await queue.runUntil(queue.nowMillis + years * 365 * day);
  authorities.close();
  rotation.close();
  return {
    violations: oracle.violations,
    ...counts,
    removed: authorities.status().filter(({ role, state }) => role === "root" && state === "retired").length,
    verified,
    checks: oracle.checks,
    sequences,
  };
}
