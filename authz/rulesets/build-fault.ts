import { type BuildFault, type BuildResult, mostDiagnostics } from "./build.ts";

/** What keeps a result from coming into force, in one sentence: the first error of the policies, and how many more there are. */
export function buildFault(result: BuildResult & { readonly kind: "invalid" | "failed" }): BuildFault {
  const { revision } = result;
  if (result.kind === "failed") return { code: result.code, message: result.message, diagnostics: [], revision };
  const { diagnostics } = result;
  const [first, ...others] = diagnostics.filter(({ severity }) => severity === "error");
  if (first === undefined)
    return { code: "policy/invalid", message: "the policies are not valid", diagnostics, revision };
  const atLeast = others.length === mostDiagnostics - 1 ? "at least " : "";
  const more = others.length > 0 ? ` (and ${atLeast}${others.length} more)` : "";
  const message = `${first.file}:${first.start.line}:${first.start.column}: ${first.message}${more}`;
  return { code: "policy/invalid", message, diagnostics, revision };
}
