import type { Engine } from "#authz/engine/contract";
import { createEngineInSteps, type EngineOptions } from "#authz/engine/create-engine";
import { CodedError } from "#platform/coded-error";
import { collectingOften } from "#platform/heap";
import { inSlices } from "#platform/in-slices";
import { decodeRuleSetInSteps } from "#policy-compiler/ruleset/codec";
import { finish, type Steps } from "#policy-compiler/ruleset/steps";

/** Whether decisions look rules up or ask every one. Changes no decision. */
export type PrepareOptions = Pick<EngineOptions, "index">;

/** An engine out of the bytes of a rule set, at once. Fails with `ruleset/damaged`. */
export function prepareEngine(bytes: Uint8Array, digest: string, options: PrepareOptions = {}): Engine {
  return finish(prepare(bytes, digest, options));
}

/** `prepareEngine` in slices, between which the event loop answers requests. */
export function prepareEngineInSlices(
  bytes: Uint8Array,
  digest: string,
  nowMillis: () => number,
  options: PrepareOptions = {},
): Promise<Engine> {
  return collectingOften(() => inSlices(prepare(bytes, digest, options), nowMillis));
}

function* prepare(bytes: Uint8Array, digest: string, options: PrepareOptions): Steps<Engine> {
  const decoded = yield* decodeRuleSetInSteps(bytes);
  if (!decoded.ok) throw new CodedError("ruleset/damaged", `the compiled rules are damaged: ${decoded.fault}`);
  return yield* createEngineInSteps(decoded.ruleSet, digest, options);
}
