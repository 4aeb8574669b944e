import { refusals } from "#ca/refusals";
import type { ExplainedStep } from "#ca/store/contract";
import { nameOfCaller, type Progress } from "./progress.ts";
import type { Refusal } from "./refusal.ts";
import { type IssuanceStep, issuanceSteps } from "./steps.ts";

/** The ordered checks up to the one that refused, each with what was seen and what was wanted; of who asks, each credential by itself. */
export function explainRefusal(refusal: Refusal, progress: Progress): readonly ExplainedStep[] {
  const attempts = refusal.step === "caller" ? (progress.attempts ?? []) : [];
  return [
    ...stepsBefore(refusal.step, progress),
    ...attempts.map(({ method, reason }) => ({
      step: `caller: ${method}`,
      ok: false,
      seen: reason,
      wanted: "",
      remedy: "",
    })),
    {
      step: `${refusal.step}: ${issuanceSteps[refusal.step]}`,
      ok: false,
      seen: attempts.length === 0 ? refusal.seen : "no credential that is good",
      wanted: refusal.wanted,
      remedy: refusal.remedy ?? refusals[refusal.code].help,
    },
  ];
}

/** The checks before a step, all of them passed. */
export function stepsBefore(end: IssuanceStep, progress: Progress): readonly ExplainedStep[] {
  const names = Object.keys(issuanceSteps) as IssuanceStep[];
  return names.slice(0, names.indexOf(end)).map((step) => ({
    step: `${step}: ${issuanceSteps[step]}`,
    ok: true,
    seen: seenAt(step, progress),
    wanted: "",
    remedy: "",
  }));
}

/** What is known of a step that was passed. */
function seenAt(step: IssuanceStep, progress: Progress): string {
  switch (step) {
    case "caller":
      return progress.caller === undefined ? "" : `${nameOfCaller(progress.caller)} (${progress.caller.method})`;
    case "identity":
      return progress.id === undefined ? "" : `${progress.id.toString()}, by ${progress.entry?.name ?? "itself"}`;
    case "key":
      return progress.publicKey?.kind ?? "";
    case "key-owner":
      return progress.publicKey === undefined ? "" : `key ${progress.publicKey.hash.slice(0, 16)}…`;
    case "names":
      return progress.differing === undefined || progress.differing.length === 0
        ? ""
        : `passed over: ${progress.differing.join(", ")}`;
    case "authority":
      return progress.issuerKeyId ?? "";
    case "lifetime":
      return progress.lifetime === undefined ? "" : `until ${new Date(progress.lifetime.notAfterMillis).toISOString()}`;
    case "record":
      return progress.serialHex ?? "";
    default:
      return "";
  }
}
