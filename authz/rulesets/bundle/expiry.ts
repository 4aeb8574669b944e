import { CodedError } from "#platform/coded-error";
import type { BundleManifest } from "./manifest.ts";

type Times = Pick<BundleManifest, "revision" | "timeSeconds" | "expiresSeconds">;

/** `bundle/expired` for a bundle whose time is over, else undefined. */
export function expiryFault({ revision, expiresSeconds }: Times, nowMillis: number): CodedError | undefined {
  if (expiresSeconds === undefined || nowMillis < expiresSeconds * 1000) return undefined;
  return new CodedError("bundle/expired", `the policy bundle \`${revision}\` expired at ${timeText(expiresSeconds)}`);
}

/** So much of its time is left when it is told that it ends. */
const lastPart = 1 / 4;

/** That the time of a bundle is nearly over, for people; undefined: it is not, or it is over. */
export function expiryWarning({ revision, timeSeconds, expiresSeconds }: Times, nowMillis: number): string | undefined {
  if (expiresSeconds === undefined || nowMillis >= expiresSeconds * 1000) return undefined;
  const leftSeconds = expiresSeconds - nowMillis / 1000;
  if (leftSeconds > (expiresSeconds - timeSeconds) * lastPart) return undefined;
  return `the policy bundle \`${revision}\` expires at ${timeText(expiresSeconds)}, and there is no newer one`;
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
