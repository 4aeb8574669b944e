import { readCertificate } from "#ca/x509/read-certificate";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { UsageFault } from "../usage-fault.ts";
import { momentText, stampText } from "./duration.ts";
import { certificatesOf } from "./inspect/read-items.ts";
import { jsonText, paintFor } from "./paint.ts";
import { readNamed } from "./read-file.ts";
import type { FormatOptions } from "./service-options.ts";

/** `garita ca needs-renewal FILE`: is the part `at` of the first certificate's life over? Then it ends with 10. */
export async function needsRenewal(
  file: string,
  { at, format }: FormatOptions & { readonly at: number },
  context: CommandContext,
): Promise<void> {
  const [leaf] = certificatesOf(await readNamed(file, context), file);
  const read = readCertificate(leaf!);
  if (!read.ok) throw new UsageFault(`the certificate of \`${file}\` cannot be read: ${read.fault.message}`);
  const { notBefore, notAfter } = read.value;
  const dueMillis = notBefore.millis + (notAfter.millis - notBefore.millis) * at;
  const now = Date.now();
  const due = now >= dueMillis;
  const paint = paintFor(context);
  if (format === "json") {
    context.write(jsonText({ due, renewAt: stampText(dueMillis), notAfter: stampText(notAfter.millis) }));
  } else {
    const word = due ? paint.bad("due") : paint.good("not due");
    context.write(`${word}: renew ${momentText(dueMillis, now)}, ends ${momentText(notAfter.millis, now)}\n`);
  }
  if (due) context.finish(exitCodes.denied);
}
