import type { Engine } from "#authz/engine/contract";
import { createEngine } from "#authz/engine/create-engine";
import { CodedError } from "#platform/coded-error";
import { decodeRuleSet } from "#policy-compiler/ruleset/codec";

/** An engine out of the bytes of a rule set. Fails with `ruleset/damaged`. */
export function prepareEngine(bytes: Uint8Array, digest: string): Engine {
  const decoded = decodeRuleSet(bytes);
  if (!decoded.ok) throw new CodedError("ruleset/damaged", `the compiled rules are damaged: ${decoded.fault}`);
  return createEngine(decoded.ruleSet, digest);
}
