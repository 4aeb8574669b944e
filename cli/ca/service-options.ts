import type { Command } from "commander";
import { formatOption } from "../options.ts";

/** Which authority is asked, and who asks. */
export interface ServiceOptions {
  readonly config?: string;
  readonly admin?: string;
  readonly url?: string;
  readonly bundle?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface FormatOptions {
  readonly format: "text" | "json";
}

/** Gives a command the options of `ServiceOptions`, and `--format`, of which the first is the default. */
export function addServiceOptions(command: Command, formats: readonly string[] = ["text", "json"]): Command {
  return command
    .option("-c, --config <file>", "ask over `ca.socket` of this configuration (default: garita.yaml)")
    .option("--admin <address>", "ask over this Unix socket: unix:PATH")
    .option("--url <url>", "ask over the network: https://host:port of `ca.http`")
    .option("--bundle <file>", "with --url: PEM, the roots to trust")
    .option("--cert <file>", "with --url: PEM, the certificate to ask with, then its intermediates")
    .option("--key <file>", "with --url: PEM, its private key")
    .addOption(formatOption(formats));
}
