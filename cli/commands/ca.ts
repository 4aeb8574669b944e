import type { Command } from "commander";
import { defineFileCommands } from "../ca/define-file-commands.ts";
import { defineRootCommands } from "../ca/define-root-commands.ts";
import { defineServiceCommands } from "../ca/define-service-commands.ts";
import { defineStoreCommands } from "../ca/define-store-commands.ts";
import type { CommandContext } from "../command.ts";

/** `garita ca`: certificates looked at, a running authority asked, its store made and mended. PERF: what a subcommand needs is loaded when it runs. */
export function define(command: Command, context: CommandContext): void {
  defineStoreCommands(command, context);
  defineServiceCommands(command, context);
  defineRootCommands(command, context);
  defineFileCommands(command, context);
}
