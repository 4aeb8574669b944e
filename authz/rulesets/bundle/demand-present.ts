import { CodedError } from "#platform/coded-error";
import type { BundleManifest } from "./manifest.ts";

/** So far the clocks of who builds and who takes a bundle may be apart. */
const toleranceMillis = 10 * 60 * 1000;

/**
 * Refuses a bundle that says it was built in the future (`bundle/ahead`): in force, it would have every later bundle refused as older than itself. Only time, or a
 * bundle that is built anew, mends it.
 */
export function demandPresent({ revision, timeSeconds }: BundleManifest, nowMillis: number): void {
  if (timeSeconds * 1000 <= nowMillis + toleranceMillis) return;
  const [built, now] = [timeSeconds * 1000, nowMillis].map((millis) => new Date(millis).toISOString());
  throw new CodedError("bundle/ahead", `\`${revision}\` says it was built at ${built}, and it is ${now}`);
}
