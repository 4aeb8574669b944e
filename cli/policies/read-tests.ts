import { printable } from "#policy-compiler/source/render";
import { pathFrom } from "./path-from.ts";
import { readTestFile, type TestFile, type TestFileFault } from "./test-file.ts";

/** The `*_test.yaml` among the files of a policy folder; those with faults are not run. */
export function readTests(
  folder: string,
  sources: readonly { readonly path: string; readonly bytes: Uint8Array }[],
): {
  readonly files: readonly TestFile[];
  readonly faults: readonly TestFileFault[];
} {
  const decoder = new TextDecoder();
  const read = sources
    .filter(({ path }) => /_test\.ya?ml$/.test(path))
    .map(({ path, bytes }) => readTestFile(pathFrom(folder, path), decoder.decode(bytes)));
  return { files: read.flatMap(({ file }) => file ?? []), faults: read.flatMap(({ faults }) => faults) };
}

/** `file:line:column: error: message (help)`. */
export function renderFault({ path, line, column, message, help }: TestFileFault): string {
  return printable(`${path}:${line}:${column}: error: ${message}${help === undefined ? "" : ` (${help})`}`);
}
