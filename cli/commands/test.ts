import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { addIstioLax, formatOption, wantsColour } from "../options.ts";
import { compileFolder, engineOf } from "../policies/compile-folder.ts";
import { runTestFile, type TestResult } from "../policies/run-tests.ts";
import { readTestFile, type TestFile, type TestFileFault } from "../policies/test-file.ts";
import { renderDiagnostics } from "../report/print.ts";
import { renderTests, type TestFormat, testFormats } from "../report/tests.ts";
import { readVersion } from "../version.ts";

interface Options {
  readonly format: TestFormat;
  readonly istioLax: boolean;
  readonly filter?: string;
}

/** `garita test [FOLDER]`: runs its `*_test.yaml`. Exit 3 when policies or tests are invalid, 4 when a test fails, 2 when there is none. */
export function define(command: Command, context: CommandContext): void {
  addIstioLax(command)
    .argument("[folder]", "policy folder", ".")
    .addOption(formatOption(testFormats))
    .option("--filter <text>", "only pairs whose file, caller or request contains this text")
    .action(async (folder: string, { format, istioLax, filter }: Options) => {
      const compiled = await compileFolder(folder, { istioLax });
      if (compiled.built === undefined) {
        const version = await readVersion();
        context.writeError(await renderDiagnostics(compiled, "text", { colour: wantsColour(context), version }));
        context.finish(exitCodes.invalidPolicy);
        return;
      }
      const { files, faults } = readTests(compiled.files);
      if (faults.length > 0) {
        for (const fault of faults) context.writeError(`${renderFault(fault)}\n`);
        context.finish(exitCodes.invalidPolicy);
        return;
      }
      if (files.length === 0) {
        context.writeError(`garita: no *_test.yaml in \`${folder}\`\n`);
        context.finish(exitCodes.usage);
        return;
      }
      const snapshot = { engine: engineOf(compiled.built) };
      const results = files.flatMap((file) => runTestFile(file, snapshot)).filter((result) => isWanted(result, filter));
      context.write(renderTests(results, format));
      if (results.some(({ faults: found }) => found.length > 0)) context.finish(exitCodes.testsFailed);
    });
}

function readTests(sources: readonly { readonly path: string; readonly bytes: Uint8Array }[]): {
  readonly files: readonly TestFile[];
  readonly faults: readonly TestFileFault[];
} {
  const decoder = new TextDecoder();
  const read = sources
    .filter(({ path }) => /_test\.ya?ml$/.test(path))
    .map(({ path, bytes }) => readTestFile(path, decoder.decode(bytes)));
  return { files: read.flatMap(({ file }) => file ?? []), faults: read.flatMap(({ faults }) => faults) };
}

function renderFault({ path, line, column, message, help }: TestFileFault): string {
  return `${path}:${line}:${column}: error: ${message}${help === undefined ? "" : ` (${help})`}`;
}

function isWanted({ file, caller, request }: TestResult, filter: string | undefined): boolean {
  return filter === undefined || [file, caller, request].some((text) => text.includes(filter));
}
