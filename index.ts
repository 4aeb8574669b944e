/**
 * The public door for programs: compile a folder of Istio security YAML, make an engine of it, decide. Everything here is synchronous and needs
 * nothing of Node. Anything that is not exported here may change with any version.
 */
export type {
  Claims,
  HeaderLines,
  HttpAttributes,
  IpAddress,
  Maybe,
  PeerNames,
  RequestAttributes,
  RequestHeaders,
  Workload,
  WorkloadKind,
} from "#authz/engine/attributes";
export { UNKNOWN } from "#authz/engine/attributes";
export type { CustomMatch, Engine, WorkloadView } from "#authz/engine/contract";
export { createEngine, type EngineOptions } from "#authz/engine/create-engine";
export type { Decision, DecisionReason, Explanation, RuleRef } from "#authz/engine/decision";
export { type Compilation, type CompileOptions, compile, type SourceFile } from "#policy-compiler/compile";
export { decodeRuleSet, encodeRuleSet, ruleSetDigest } from "#policy-compiler/ruleset/codec";
export { parseIpAddress } from "#policy-compiler/ruleset/ip-address";
export type { RuleSet } from "#policy-compiler/ruleset/model";
export type { Diagnostic } from "#policy-compiler/source/diagnostic";
export { renderDiagnostic } from "#policy-compiler/source/render";
