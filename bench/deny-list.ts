import { createHash } from "node:crypto";
import type { GrpcCheck } from "#authz/check/contract";
import { type CheckMessage, checkMessage } from "#cli/request/check-message";
import { DenyList } from "#identity/deny-list/deny-list";
import { startProduct } from "#test/support/cases/product";
import { listenerOf } from "#test/support/check/check-message";
import { median } from "./cpu.ts";
import { meshFolder } from "./policies.ts";

/** What the deny list adds to a check of a peer that is not on it. CPU time, in microseconds; medians of the differences of rounds that ran side by side. */
export interface DenyListCost {
  readonly checkMicros: number;
  readonly emptyMicros: number;
  readonly fullMicros: number;
}

const members = 10_000;
const fingerprintOf = (i: number) => createHash("sha256").update(String(i)).digest("hex");

export async function denyListCost(rounds: number, checks: number): Promise<DenyListCost> {
  const folder = meshFolder(1000);
  const start = async (denyList?: DenyList) => {
    let id = 0;
    const product = await startProduct(folder, {
      nextId: () => String(++id).padStart(26, "0"),
      nowMillis: Date.now,
      fetchDocument: () => Promise.reject(new Error("no document is fetched")),
      ...(denyList === undefined ? {} : { denyList }),
    });
    if (product === undefined) throw new Error("the policies are not valid");
    return product;
  };
  const products = [await start(), await start(listOf(0)), await start(listOf(members))] as const;
  const message = request();
  const samples: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= rounds; round++) {
    const times = products.map(({ check }) => time(check, message, checks));
    // The first round warms up.
    if (round > 0) for (const [i, micros] of times.entries()) samples[i]?.push(micros);
  }
  await Promise.all(products.map((product) => product.stop()));
  const [plain, empty, full] = samples;
  const added = (other: readonly number[]) => median(other.map((micros, i) => micros - plain[i]!));
  return { checkMicros: median(plain), emptyMicros: added(empty), fullMicros: added(full) };
}

function listOf(count: number): DenyList {
  const numbers = Array.from({ length: count }, (_none, i) => i);
  return new DenyList({
    trustDomain: "bench.mesh",
    sequence: count,
    issuedMillis: 0,
    certificates: numbers.map((i) => ({ fingerprint: fingerprintOf(i), endsMillis: undefined })),
    identities: numbers.map((i) => `spiffe://bench.mesh/ns/gone/sa/caller-${i}`),
  });
}

const settings = listenerOf();

function time(check: GrpcCheck, { message, metadata }: CheckMessage, checks: number): number {
  const before = process.cpuUsage();
  for (let i = 0; i < checks; i++) {
    const outcome = check(message, metadata, settings);
    if (outcome instanceof Promise || outcome.record.decision.outcome !== "allow")
      throw new Error("not allowed at once");
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / checks;
}

/** Fits rule 8 of the folder. */
function request(): CheckMessage {
  return checkMessage({
    workload: { namespace: "team-8", labels: { app: "service-8" }, address: "10.2.3.4", port: 8080 },
    caller: {
      principal: "bench.mesh/ns/team-16/sa/caller-8",
      fingerprint: fingerprintOf(members),
      address: "10.1.2.3",
    },
    request: {
      host: "service-8.example.com",
      path: "/api/v1/items-8/42?view=full",
      headers: ["user-agent: bench", "x-tenant: tenant-8", "x-request-id: 5f0c6a4e-9d1b-4f7a-8a35-0a6d6a5a1c11"],
      protocol: "HTTP/2",
    },
  });
}
