/** What the user gave cannot be used: the command ends with the status for wrong usage. May have several lines. */
export class UsageFault extends Error {
  /** Would `--help` tell more? Not where a file that was named is at fault. */
  readonly hinted: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly hinted?: boolean } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "UsageFault";
    this.hinted = options.hinted ?? false;
  }
}
