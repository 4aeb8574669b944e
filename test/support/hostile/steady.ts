import assert from "node:assert/strict";
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
  const after = await service.held();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  assert.ok(grown < growthBytes, `heap and buffers grew by ${grown} bytes`);
  assert.ok(after.rss < before.rss + growthBytes + 160 * 1024 * 1024, `resident: ${before.rss}, then ${after.rss}`);
}
