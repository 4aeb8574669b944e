import { type Command, Option } from "commander";
import { keyKinds } from "#ca/x509/contract";
import type { CommandContext } from "../command.ts";
import { formatOption } from "../options.ts";
import { tellingRefusals } from "./refusal.ts";
import type { InitOptions } from "./run-init.ts";
import { addServiceOptions, type FormatOptions, type ServiceOptions } from "./service-options.ts";

/** The subcommands that work on the authority's store. */
export function defineStoreCommands(command: Command, context: CommandContext): void {
  command
    .command("init")
    .description(
      "make the store with a root and an issuing authority, or take over those of others; the service does not run",
    )
    .option("-c, --config <file>", "configuration", "garita.yaml")
    .addOption(
      new Option("--key-kind <kind>", "of the issuing authority (default: ca.issuing.keyKind)").choices(keyKinds),
    )
    .addOption(new Option("--root-key-kind <kind>", "of the root (default: P-256)").choices(keyKinds))
    .option("--new-key-encryption-key", "make the file ca.keyEncryptionKeyFile, which must not be there")
    .option(
      "--import-cacerts <folder>",
      "take over ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem, or tls.crt, tls.key and ca.crt",
    )
    .option("--request <folder>", "for a root whose key is elsewhere: write a request for an issuing authority here")
    .option("--complete <folder>", "take the certificate that was signed for the request in this folder")
    .addOption(formatOption(["text", "json"]))
    .action(async (options: InitOptions) => {
      const { init } = await import("./run-init.ts");
      await init(options, context);
    });
  command
    .command("restore")
    .description("put a backup in the place of the store, which is kept beside it; the service does not run")
    .argument("<file>", "the backup")
    .option("-c, --config <file>", "configuration", "garita.yaml")
    .addOption(formatOption(["text", "json"]))
    .action(async (file: string, options: FormatOptions & { readonly config: string }) => {
      const { restore } = await import("./run-restore.ts");
      await restore(file, options, context);
    });
  const audit = command.command("audit").description("the log of everything that changed the authority");
  addServiceOptions(audit.command("verify"))
    .description("read the whole log; exit 5 when a record was edited, removed, moved or cut off")
    .argument("[file]", "a store or backup that no service uses (default: the running service reads its own)")
    .action((file: string | undefined, options: ServiceOptions & FormatOptions) =>
      tellingRefusals(context, async () => {
        const { verifyAudit, verifyAuditFile } = await import("./run-audit.ts");
        await (file === undefined ? verifyAudit(options, context) : verifyAuditFile(file, options, context));
      }),
    );
}
