import type { Engine } from "#authz/engine/contract";
import { createEngineInSteps } from "#authz/engine/create-engine";
import { CodedError } from "#platform/coded-error";
import { runInSlices } from "#platform/run-in-slices";
import { decodeRuleSetInSteps } from "#policy-compiler/ruleset/codec";
import { finish, type Steps } from "#policy-compiler/ruleset/steps";

/** An engine out of the bytes of a rule set, at once. Fails with `ruleset/damaged`. */
export function prepareEngine(bytes: Uint8Array, digest: string): Engine {
  return finish(prepareInSteps(bytes, digest));
}

/** The same beside requests that are answered meanwhile: the work is done in slices of a few milliseconds. */
export function prepareEngineInSlices(bytes: Uint8Array, digest: string): Promise<Engine> {
  return runInSlices(prepareInSteps(bytes, digest));
}

function* prepareInSteps(bytes: Uint8Array, digest: string): Steps<Engine> {
  const decoded = yield* decodeRuleSetInSteps(bytes);
  if (!decoded.ok) throw new CodedError("ruleset/damaged", `the compiled rules are damaged: ${decoded.fault}`);
  return yield* createEngineInSteps(decoded.ruleSet, digest);
}
