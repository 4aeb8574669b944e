import { celExpressions } from "#authz/engine/conditions/cel-expressions";
import type { Engine } from "#authz/engine/contract";
import { finish } from "#policy-compiler/ruleset/steps";
import { type PrepareOptions, prepare, readRuleSet } from "./prepare.ts";

/** `prepareEngineInSlices` in one piece, for programs that have nothing else to do. */
export function prepareEngine(bytes: Uint8Array, digest: string, options: PrepareOptions = {}): Engine {
  return finish(prepare(finish(readRuleSet(bytes)), digest, celExpressions, options));
}
