import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { UsageFault } from "../usage-fault.ts";
import { type CaClient, clientOf, openClient } from "./client.ts";
import { bareDoor } from "./door.ts";
import { trustRootOf } from "./first-contact.ts";
import { readNamed } from "./read-file.ts";
import { addServiceOptions, type ServiceOptions } from "./service-options.ts";

/** Who asks for a certificate: the operator over the socket, a certificate, or a token. */
export interface CredentialOptions extends ServiceOptions {
  readonly tokenFile?: string;
}

/** `addServiceOptions`, and `--token-file`. */
export function addCredentialOptions(command: Command): Command {
  return addServiceOptions(command).option(
    "--token-file <file>",
    "with --url: a join token, or a token of a configured issuer (-: standard input); a join token needs no --bundle",
  );
}

/** A longer text is no token. */
const longestToken = 64 * 1024;

/**
 * A client that brings what the options say. With a join token and no `--bundle` the authority's root is fetched first, and believed only if it is the one that the token
 * names; the token is told to nobody before. Fails with `UsageFault`, `service/unreachable` or `service/root`.
 */
export async function openWithCredential(options: CredentialOptions, context: CommandContext): Promise<CaClient> {
  if (options.tokenFile === undefined) return openClient(options, context);
  const { url } = options;
  if (url === undefined) throw new UsageFault("`--token-file` is for --url", { hinted: true });
  if (options.cert !== undefined)
    throw new UsageFault("expected one of --cert and --token-file, found both", { hinted: true });
  const token = tokenText(await readNamed(options.tokenFile, context), options.tokenFile);
  if (options.bundle !== undefined) return openClient(options, context, token);
  return clientOf(await trustRootOf(token, bareDoor(url)), token);
}

function tokenText(bytes: Uint8Array, file: string): string {
  const text = bytes.length > longestToken ? "" : Buffer.from(bytes).toString("latin1").trim();
  // Anything else would break the header, and the message about it would tell the token.
  if (!/^[\x21-\x7e]+$/.test(text)) throw new UsageFault(`\`${file}\` holds no token`);
  return text;
}
