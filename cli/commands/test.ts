import { relative } from "node:path";
import type { Command } from "commander";
import { systemClock } from "#platform/clock";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { addAsOf, addIstioLax, addNoIndex, formatOption, wantsColour } from "../options.ts";
import { compileFolder, engineOf } from "../policies/compile-folder.ts";
import { pathFrom } from "../policies/path-from.ts";
import { readTests, renderFault } from "../policies/read-tests.ts";
import { runTestFile, type TestResult } from "../policies/run-tests.ts";
import { renderDiagnostics } from "../report/print.ts";
import { renderTests, type TestFormat, testFormats } from "../report/tests.ts";
import { UsageFault } from "../usage-fault.ts";
import { readVersion } from "../version.ts";

interface Options {
  readonly format: TestFormat;
  readonly istioLax: boolean;
  readonly index: boolean;
  readonly filter?: string;
  readonly asOf?: string;
}

/** `garita test [FOLDER]`: runs its `*_test.yaml`. Exit 3 when policies or tests are invalid, 4 when a test fails, 2 when there is none. */
export function define(command: Command, context: CommandContext): void {
  addAsOf(addNoIndex(addIstioLax(command)))
    .argument("[folder]", "policy folder", ".")
    .addOption(formatOption(testFormats))
    .option("--filter <text>", "only pairs whose file, caller or request contains this text")
    .action(async (folder: string, { format, istioLax, index, filter, asOf }: Options) => {
      const compiled = await compileFolder(folder, { istioLax, asOf, environment: context.environment });
      if (compiled.built === undefined) {
        const colour = wantsColour(context, "errors");
        context.writeError(await renderDiagnostics(compiled, "text", { colour, version: await readVersion() }));
        context.finish(exitCodes.invalidPolicy);
        return;
      }
      const { files, faults } = readTests(folder, compiled.files);
      if (faults.length > 0) {
        for (const fault of faults) context.writeError(`${renderFault(fault)}\n`);
        context.finish(exitCodes.invalidPolicy);
        return;
      }
      if (files.length === 0) throw new UsageFault(`no *_test.yaml in \`${folder}\``);
      const startedMillis = systemClock.nowMillis();
      const engine = engineOf(compiled.built, { index });
      const place = (file: string) => pathFrom(folder, file);
      const all = (await Promise.all(files.map((file) => runTestFile(file, engine, startedMillis, place)))).flat();
      const results = all.filter((result) => isWanted(folder, result, filter));
      // A filter that fits nothing would pass for ever.
      if (results.length === 0) {
        throw new UsageFault(filter === undefined ? `no test in \`${folder}\`` : `no test fits \`${filter}\``);
      }
      context.write(renderTests(results, format));
      if (results.some(({ faults: found }) => found.length > 0)) context.finish(exitCodes.testsFailed);
    });
}

function isWanted(folder: string, { file, caller, request }: TestResult, filter: string | undefined): boolean {
  return filter === undefined || [relative(folder, file), caller, request].some((text) => text.includes(filter));
}
