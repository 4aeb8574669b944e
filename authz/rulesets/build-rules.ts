import { createHash } from "node:crypto";
import { CodedError, messageOf } from "#platform/coded-error";
import { compile, type SourceFile } from "#policy-compiler/compile";
import { encodeRuleSet, ruleSetDigest } from "#policy-compiler/ruleset/codec";
import { type BuildResult, mostDiagnostics } from "./build.ts";
import { cutDiagnostics } from "./diagnostic-lines.ts";

/** Compiles files to the bytes of a rule set, with the first `mostDiagnostics` of each severity. Never throws. */
export function buildRules(files: readonly SourceFile[]): BuildResult {
  const { ruleSet, diagnostics: all } = compile(files);
  const diagnostics = cutDiagnostics(all, mostDiagnostics);
  if (ruleSet === undefined) return { kind: "invalid", diagnostics, files: files.length };
  const bytes = encodeRuleSet(ruleSet);
  const digest = ruleSetDigest(bytes, (input) => createHash("sha256").update(input).digest());
  return { kind: "built", bytes, digest, diagnostics, files: files.length };
}

/** Reads with `read`, then compiles; whatever fails becomes a result. */
export async function buildFrom(read: () => Promise<readonly SourceFile[]>): Promise<BuildResult> {
  try {
    return buildRules(await read());
  } catch (fault) {
    const code = fault instanceof CodedError ? fault.code : "source/compiler";
    return { kind: "failed", code, message: messageOf(fault) };
  }
}
