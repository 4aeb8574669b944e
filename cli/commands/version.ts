import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { readVersion } from "../version.ts";

/** `garita version`: one line, or JSON with the runtime's version beside it. */
export function define(command: Command, context: CommandContext): void {
  command.option("--json", "print JSON").action(async ({ json }: { readonly json?: boolean }) => {
    const version = await readVersion();
    const node = process.versions.node;
    context.write(json === true ? `${JSON.stringify({ version, node })}\n` : `garita ${version}\n`);
  });
}
