import { type Command, InvalidArgumentError, Option } from "commander";
import { keyKinds } from "#ca/x509/contract";
import type { CommandContext } from "../command.ts";
import { addCredentialOptions } from "./credential-options.ts";
import { durationSeconds } from "./duration.ts";
import { tellingRefusals } from "./refusal.ts";
import type { TryOptions } from "./run-explain.ts";
import type { ExpiringOptions, ListOptions } from "./run-inventory.ts";
import type { IssueOptions, SignOptions } from "./run-issue.ts";
import type { RevokeOptions } from "./run-revoke.ts";
import type { NewTokenOptions } from "./run-tokens.ts";
import { addServiceOptions, type FormatOptions, type ServiceOptions } from "./service-options.ts";

type Options = ServiceOptions & FormatOptions;

/** The subcommands that ask a running authority: by its socket, or over the network. */
export function defineServiceCommands(command: Command, context: CommandContext): void {
  const telling = (ask: () => Promise<void>) => tellingRefusals(context, ask);
  defineIssuing(command, context, telling);
  defineInventory(command, context, telling);
  defineAdministration(command, context, telling);
}

type Telling = (ask: () => Promise<void>) => Promise<void>;

const ttl = () =>
  new Option("--ttl <duration>", "lifetime, as 24h (default: the authority's)").argParser(durationSeconds);
const keyKind = () => new Option("--key-kind <kind>", "kind of the new key").choices(keyKinds).default("P-256");

function defineIssuing(command: Command, context: CommandContext, telling: Telling): void {
  addCredentialOptions(command.command("issue"))
    .description(
      "make a key and have it certified: writes key.pem, cert-chain.pem and root-cert.pem; exit 10 when refused",
    )
    .option("--id <spiffe-id>", "the identity to ask for (default: the caller's own)")
    .addOption(ttl())
    .addOption(keyKind())
    .option("-o, --out <folder>", "where to write", ".")
    .option("--force", "go over files that are there", false)
    .action((options: IssueOptions) => telling(async () => (await import("./run-issue.ts")).issue(options, context)));
  addCredentialOptions(command.command("sign"))
    .description("have a certificate request certified; its chain goes to standard output; exit 10 when refused")
    .argument("<csr>", "the request, PEM (-: standard input)")
    .option("--id <spiffe-id>", "the identity to ask for (default: the caller's own)")
    .addOption(ttl())
    .option("-o, --out <folder>", "write cert-chain.pem and root-cert.pem here instead")
    .option("--force", "go over files that are there", false)
    .action((file: string, options: SignOptions) =>
      telling(async () => (await import("./run-issue.ts")).signRequest(file, options, context)),
    );
  addServiceOptions(command.command("try"))
    .description(
      "the certificate that would be issued, with its lints; exit 10 when it would be refused, 5 when a lint objects",
    )
    .requiredOption("--id <spiffe-id>", "the identity")
    .option("--csr <file>", "the request (default: one of a new key)")
    .addOption(keyKind())
    .addOption(ttl())
    .action((options: TryOptions) =>
      telling(async () => (await import("./run-explain.ts")).tryIssue(options, context)),
    );
  addServiceOptions(command.command("explain"))
    .description("the ordered checks of a request that was refused, and what mends it")
    .argument("<id>", "what the refusal named")
    .action((id: string, options: Options) =>
      telling(async () => (await import("./run-explain.ts")).explain(id, options, context)),
    );
}

function defineInventory(command: Command, context: CommandContext, telling: Telling): void {
  addServiceOptions(command.command("status"))
    .description("authorities, bundle, store and warnings of a running authority")
    .action((options: Options) => telling(async () => (await import("./run-status.ts")).status(options, context)));
  addServiceOptions(command.command("list"))
    .description("certificates that were issued, newest first")
    .option("--id <spiffe-id>", "of this identity")
    .addOption(new Option("--state <state>", "in this state").choices(["intended", "issued", "abandoned"]))
    .option("--revoked", "revoked ones")
    .option("--newest", "the newest of each identity and key")
    .option("--after <serial>", "from behind this one on")
    .option("--limit <number>", "so many at most", count, 50)
    .action((options: ListOptions) => telling(async () => (await import("./run-inventory.ts")).list(options, context)));
  addServiceOptions(command.command("show"))
    .description("one certificate with its record: for whom, by whom, why")
    .argument("<serial>", "its serial number in hex")
    .action((serial: string, options: Options) =>
      telling(async () => (await import("./run-inventory.ts")).show(serial, options, context)),
    );
  addServiceOptions(command.command("expiring"))
    .description("identities whose newest certificate ends soon; exit 10 when there are any")
    .addOption(new Option("--within <duration>", "how soon, as 72h").argParser(durationSeconds).makeOptionMandatory())
    .option("--every-key", "the newest certificate of each key, also of keys that a renewal replaced", false)
    .action((options: ExpiringOptions) =>
      telling(async () => (await import("./run-inventory.ts")).expiring(options, context)),
    );
  addServiceOptions(command.command("entries"))
    .description("the registrations in force: who may have which identity")
    .action((options: Options) => telling(async () => (await import("./run-entries.ts")).entries(options, context)));
  const bundle = command.command("bundle").description("the roots of the trust domain");
  addServiceOptions(bundle.command("show"), ["text", "pem", "json"])
    .description("the roots in force; json: as SPIFFE's federation reads them")
    .action((options: ServiceOptions & { readonly format: "text" | "pem" | "json" }) =>
      telling(async () => (await import("./run-bundle.ts")).showBundle(options, context)),
    );
}

function defineAdministration(command: Command, context: CommandContext, telling: Telling): void {
  addServiceOptions(command.command("revoke"))
    .description("revoke a certificate, or all that an identity has and asks for")
    .argument("[serial or spiffe-id]", "what to revoke")
    .option(
      "--fingerprint <sha256>",
      "the certificate with this SHA-256 instead, also one that the authority does not know",
    )
    .requiredOption("--reason <text>", "why, for the record")
    .action((target: string | undefined, options: RevokeOptions) =>
      telling(async () => (await import("./run-revoke.ts")).revoke(target, options, context)),
    );
  const token = command.command("token").description("join tokens: the first credential of a machine");
  addServiceOptions(token.command("new"))
    .description("make a join token, which is good once; it is printed now and never again")
    .requiredOption("--id <spiffe-id>", "the identity that it gives")
    .addOption(
      new Option("--ttl <duration>", "how long it is good, as 10m (default: the authority's)").argParser(
        durationSeconds,
      ),
    )
    .option("--from <block...>", "addresses from which it may be used, as 10.0.0.0/8", [])
    .action((options: NewTokenOptions) =>
      telling(async () => (await import("./run-tokens.ts")).newToken(options, context)),
    );
  addServiceOptions(token.command("list"))
    .description("join tokens that were made, without their secrets")
    .action((options: Options) => telling(async () => (await import("./run-tokens.ts")).listTokens(options, context)));
  addServiceOptions(command.command("rotate"))
    .description("make a new issuing authority under the same root")
    .action((options: Options) => telling(async () => (await import("./run-status.ts")).rotate(options, context)));
  addServiceOptions(command.command("backup"))
    .description("have the running service write a copy of its store, on its own machine; keys stay encrypted")
    .argument("<file>", "where; it must not be there")
    .action((file: string, options: Options) =>
      telling(async () => (await import("./run-backup.ts")).backup(file, options, context)),
    );
}

function count(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new InvalidArgumentError("expected 1 to 9999999");
  return Number(text);
}
