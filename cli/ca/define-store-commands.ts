import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { tellingRefusals } from "./refusal.ts";
import { addServiceOptions, type FormatOptions, type ServiceOptions } from "./service-options.ts";

/** The subcommands that work on the authority's store. */
export function defineStoreCommands(command: Command, context: CommandContext): void {
  const audit = command.command("audit").description("the log of everything that changed the authority");
  addServiceOptions(audit.command("verify"))
    .description("read the whole log; exit 5 when a record was edited, removed, moved or cut off")
    .action((options: ServiceOptions & FormatOptions) =>
      tellingRefusals(context, async () => (await import("./run-audit.ts")).verifyAudit(options, context)),
    );
}
