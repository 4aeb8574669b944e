import type { Engine } from "#authz/engine/contract";
import { createEngineInSteps } from "#authz/engine/create-engine";
import { CodedError } from "#platform/coded-error";
import { inSlices } from "#platform/in-slices";
import { decodeRuleSetInSteps } from "#policy-compiler/ruleset/codec";
import { finish, type Steps } from "#policy-compiler/ruleset/steps";

/** An engine out of the bytes of a rule set, at once. Fails with `ruleset/damaged`. */
export function prepareEngine(bytes: Uint8Array, digest: string): Engine {
  return finish(prepare(bytes, digest));
}

/** `prepareEngine` in slices, between which the event loop answers requests. */
export function prepareEngineInSlices(bytes: Uint8Array, digest: string, nowMillis: () => number): Promise<Engine> {
  return inSlices(prepare(bytes, digest), nowMillis);
}

function* prepare(bytes: Uint8Array, digest: string): Steps<Engine> {
  const decoded = yield* decodeRuleSetInSteps(bytes);
  if (!decoded.ok) throw new CodedError("ruleset/damaged", `the compiled rules are damaged: ${decoded.fault}`);
  return yield* createEngineInSteps(decoded.ruleSet, digest);
}
