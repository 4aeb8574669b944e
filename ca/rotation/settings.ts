import type { RotationSettings } from "./contract.ts";

/** Three minutes are more than a request may take, twice a look of another replica; ten are what clocks may be off. */
export const defaultRotationSettings: RotationSettings = {
  settleMillis: 3 * 60_000,
  skewMillis: 10 * 60_000,
  lookMillis: 60_000,
};
