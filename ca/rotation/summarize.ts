import type { Hold, RootStep, RootView, RotationSummary } from "./contract.ts";
import { nextRoot } from "./decide-steps.ts";

/** The rotation at a glance, from the steps of the last look. */
export function summarize(looked: {
  readonly roots: readonly RootView[];
  readonly steps: readonly RootStep[];
  readonly firstBreakMillis: number | undefined;
  readonly fault: string | undefined;
  readonly nowMillis: number;
}): RotationSummary {
  const { roots, steps, firstBreakMillis, fault, nowMillis } = looked;
  const moving = nextRoot(roots) ?? roots.find(({ state }) => state === "retiring" || state === "tainted");
  const held = steps.find(({ rootKeyId }) => rootKeyId === moving?.keyId)?.heldUpBy ?? [];
  return {
    state: moving?.state,
    stragglers: held.filter(({ kind }) => kind === "certificate" || kind === "stream").length,
    firstBreakMillis,
    outageBudgetMillis: firstBreakMillis === undefined ? undefined : Math.max(0, firstBreakMillis - nowMillis),
    warnings: warningsOf(held, fault),
  };
}

function warningsOf(held: readonly Hold[], fault: string | undefined): readonly string[] {
  const rejected = held.filter((hold) => hold.kind === "stream" && hold.rejected !== undefined).length;
  const failed = held.find((hold) => hold.kind === "self-test");
  return [
    ...(fault === undefined ? [] : [`the replacement of the root cannot go on: ${fault}`]),
    ...(failed === undefined ? [] : [`the new root is not put in force: ${failed.message}`]),
    ...(rejected === 0
      ? []
      : [`${rejected} of those who are sent the bundle refuse it: \`garita ca root status\` names them`]),
  ];
}
