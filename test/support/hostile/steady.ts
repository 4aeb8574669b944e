import assert from "node:assert/strict";
import { until } from "#test/support/until";
import type { ChildService } from "./child-service.ts";

/**
 * Runs an attack several times and fails if the service holds more after the last round than after the first ones: of heap and
 * buffers, and (with room for what an allocator keeps) of resident memory. The first two rounds warm it up.
 */
export async function assertSteady(
  service: ChildService,
  { rounds, growthBytes }: { readonly rounds: number; readonly growthBytes: number },
  attack: () => Promise<void>,
): Promise<void> {
  for (let i = 0; i < 2; i++) await attack();
  const before = await service.held();
  for (let i = 2; i < rounds; i++) await attack();
  // Memory of buffers goes some time after the last reference to it; what leaks never does.
  let after = before;
  const growth = () => after.heapUsed + after.external - before.heapUsed - before.external;
  const isSteady = async () => {
    after = await service.held();
    return growth() < growthBytes;
  };
  await until(isSteady).catch(() => assert.fail(`heap and buffers grew by ${growth()} bytes`));
  assert.ok(after.rss < before.rss + growthBytes + 160 * 1024 * 1024, `resident: ${before.rss}, then ${after.rss}`);
}
