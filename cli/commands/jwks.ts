import { type Command, Option } from "commander";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import type { FetchOptions } from "../jwks/fetch-once.ts";
import { addIstioLax, formatOption } from "../options.ts";
import { addRequestOptions, type RequestOptions } from "../request/options.ts";

type Format = { readonly format: "text" | "json" };

interface TestOptions extends FetchOptions, Format, RequestOptions {
  readonly istioLax: boolean;
  readonly tokenFile: string;
  readonly place: string;
  readonly showClaims: boolean;
  readonly exitCode?: boolean;
}

/** `garita jwks`: what an issuer publishes, what policies name, and what they say to a token. */
export function define(command: Command, context: CommandContext): void {
  addFetchOptions(command.command("fetch"))
    .description("fetch the keys of a URI or an issuer; exit 5 when none can be used")
    .argument("<uri>", "address of a key set, or an issuer")
    .addOption(new Option("--as <what>", "what the address is").choices(["auto", "uri", "issuer"]).default("auto"))
    .action(async (uri: string, options: FetchOptions & Format & { readonly as: "auto" | "uri" | "issuer" }) => {
      const { fetchReport } = await import("../jwks/run-fetch.ts");
      const { text, usable } = await fetchReport(uri, options, context.environment);
      context.write(text);
      if (!usable) context.finish(exitCodes.gate);
    });
  addIstioLax(addFetchOptions(command.command("show")))
    .description("the sources of keys that a policy folder names, each asked once; exit 5 when one has no usable key")
    .argument("[folder]", "policy folder", ".")
    .action(async (folder: string, options: FetchOptions & Format & { readonly istioLax: boolean }) => {
      const { showReport } = await import("../jwks/run-show.ts");
      const report = await showReport(folder, options, context);
      if (report === undefined) return;
      context.write(report.text);
      if (!report.usable) context.finish(exitCodes.gate);
    });
  addRequestOptions(addIstioLax(addFetchOptions(command.command("test"))))
    .description(
      "what the JWT rules of a workload say to a token, which is never printed; exit 10 for a refusal under --exit-code",
    )
    .argument("[folder]", "policy folder", ".")
    .requiredOption("--token-file <file>", "file that holds the token (-: standard input)")
    .option("--place <place>", "where it stands: header:NAME, param:NAME or cookie:NAME", "header:authorization")
    .option("--show-claims", "print the token's claims, decoded, whether it is accepted or not", false)
    .option("--exit-code", "exit with 10 when the token is refused")
    .action(async (folder: string, options: TestOptions) => {
      const { testReport } = await import("../jwks/run-test.ts");
      const report = await testReport(folder, options, context);
      if (report === undefined) return;
      context.write(report.text);
      if (options.exitCode === true && report.refused) context.finish(exitCodes.denied);
    });
}

function addFetchOptions(command: Command): Command {
  return command
    .option("-c, --config <file>", "take `jwt` from this configuration")
    .option("--ca-file <file>", "PEM: authorities of issuers' servers, beside those that Node trusts")
    .addOption(formatOption(["text", "json"]));
}
