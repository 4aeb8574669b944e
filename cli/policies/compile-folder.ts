import { createHash } from "node:crypto";
import type { Engine } from "#authz/engine/contract";
import type { PrepareOptions } from "#authz/rulesets/prepare";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import { compile, type SourceFile } from "#policy-compiler/compile";
import { encodeRuleSet, ruleSetDigest } from "#policy-compiler/ruleset/codec";
import type { RuleSet } from "#policy-compiler/ruleset/model";
import type { Diagnostic } from "#policy-compiler/source/diagnostic";
import { type ReadOptions, readPolicies } from "./read-policies.ts";

export interface CompiledFolder {
  readonly folder: string;
  readonly files: readonly SourceFile[];
  readonly diagnostics: readonly Diagnostic[];
  /** Undefined when a diagnostic is an error. */
  readonly built: BuiltFolder | undefined;
}

export interface BuiltFolder {
  readonly ruleSet: RuleSet;
  readonly bytes: Uint8Array;
  readonly digest: string;
  /** Of the files, where a revision was asked about. */
  readonly commit: string | undefined;
}

export interface CompileFolderOptions extends ReadOptions {
  readonly istioLax: boolean;
}

/** Reads and compiles a policy folder, as it stands or as of a revision. Fails like `readPolicies` when it cannot be read. */
export async function compileFolder(folder: string, options: CompileFolderOptions): Promise<CompiledFolder> {
  const { files, commit } = await readPolicies(folder, options);
  return compileFiles(folder, files, { ...options, commit });
}

/** Compiles the files of a policy folder. */
export function compileFiles(
  folder: string,
  files: readonly SourceFile[],
  options: { readonly istioLax: boolean; readonly commit?: string | undefined },
): CompiledFolder {
  const { ruleSet, diagnostics } = compile(files, options);
  if (ruleSet === undefined) return { folder, files, diagnostics, built: undefined };
  const bytes = encodeRuleSet(ruleSet);
  const digest = ruleSetDigest(bytes, (input) => createHash("sha256").update(input).digest());
  return { folder, files, diagnostics, built: { ruleSet, bytes, digest, commit: options.commit } };
}

/** An engine for a folder that compiled; it is made from the bytes, as a service would make it. */
export function engineOf(built: BuiltFolder, options: PrepareOptions): Engine {
  return prepareEngine(built.bytes, built.digest, options);
}

/** Text of one of the folder's files, for excerpts. */
export function textOf({ files }: CompiledFolder): (path: string) => string | undefined {
  const decoder = new TextDecoder();
  return (path) => {
    const file = files.find((each) => each.path === path);
    return file === undefined ? undefined : decoder.decode(file.bytes);
  };
}
