import { type ExitCode, exitCodes } from "./exit-codes.ts";

/** What the user gave cannot be used: the command ends with the status for wrong usage, or another that is named. May have several lines. */
export class UsageFault extends Error {
  /** Would `--help` tell more? Not where a file that was named is at fault. */
  readonly hinted: boolean;
  readonly exitCode: ExitCode;

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly hinted?: boolean; readonly exitCode?: ExitCode } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "UsageFault";
    this.hinted = options.hinted ?? false;
    this.exitCode = options.exitCode ?? exitCodes.usage;
  }
}
