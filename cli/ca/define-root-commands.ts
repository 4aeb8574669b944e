import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { tellingRefusals } from "./refusal.ts";
import type { RotateRootOptions, WaiveOptions } from "./run-root.ts";
import { addServiceOptions, type FormatOptions, type ServiceOptions } from "./service-options.ts";

type Options = ServiceOptions & FormatOptions;

/** The subcommands about the root of a running authority. */
export function defineRootCommands(command: Command, context: CommandContext): void {
  const telling = (ask: (run: typeof import("./run-root.ts")) => Promise<void>) =>
    tellingRefusals(context, async () => ask(await import("./run-root.ts")));
  const root = command.command("root").description("the root of the trust domain, and how it is replaced");
  addServiceOptions(root.command("rotate"))
    .description(
      "make a new root, or go on with the one that is on its way: every step is taken when everybody is ready",
    )
    .option("--emergency", "take the next step without waiting, after telling who breaks and asking for a typed text")
    .option("--remove <key id>", "with --emergency: remove this root at once; the beginning of its id will do")
    .option("--confirm <text>", "with --emergency: the text, for scripts")
    .action((options: RotateRootOptions) => telling((run) => run.rotateRoot(options, context)));
  addServiceOptions(root.command("status"))
    .description("the roots, and who holds up the next step")
    .action((options: Options) => telling((run) => run.rootStatus(options, context)));
  addServiceOptions(root.command("abort"))
    .description("withdraw the root that is on its way; not after its activation")
    .action((options: Options) => telling((run) => run.abortRoot(options, context)));
  addServiceOptions(root.command("waive"))
    .description("let the root that is on its way not wait for an identity, which may break by it")
    .argument("<spiffe-id>", "who is not waited for")
    .requiredOption("--reason <text>", "why, for the record")
    .action((spiffeId: string, options: WaiveOptions) => telling((run) => run.waive(spiffeId, options, context)));
  addServiceOptions(command.command("forecast"))
    .description("when proxies break if the authority stops now, and who breaks if an authority is removed")
    .action((options: Options) =>
      tellingRefusals(context, async () => (await import("./run-forecast.ts")).forecast(options, context)),
    );
}
