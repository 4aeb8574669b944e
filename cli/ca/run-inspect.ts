import { readCertificate } from "#ca/x509/read-certificate";
import type { CommandContext } from "../command.ts";
import { readItems } from "./inspect/read-items.ts";
import { describeItem, itemLines } from "./inspect/render-items.ts";
import { rowOddities } from "./inspect/row-oddities.ts";
import { fieldsText, jsonText, linesText, paintFor } from "./paint.ts";
import { readNamed } from "./read-file.ts";
import type { FormatOptions } from "./service-options.ts";

/** `garita ca inspect FILE`: what a file of certificates or requests says, at a glance. Nothing is verified; private keys are not looked at. */
export async function inspect(file: string, { format }: FormatOptions, context: CommandContext): Promise<void> {
  const items = readItems(await readNamed(file, context), file);
  const now = Date.now();
  const described = items.map((item) => describeItem(item, now));
  const read = items.map((item) => (item.kind === "certificate" ? readCertificate(item.der) : undefined));
  const certificates = read.flatMap((each) => (each?.ok === true ? [each.value] : []));
  // Where one cannot be read, its neighbours have nothing to be compared with.
  const odd = certificates.length === items.length ? rowOddities(certificates) : [];
  if (format === "json") {
    context.write(jsonText({ items: described, odd }));
    return;
  }
  const paint = paintFor(context);
  context.write(
    linesText([
      ...described.flatMap((item, i) => [...(i === 0 ? [] : [""]), ...itemLines(item, now, paint)]),
      ...(odd.length === 0 ? [] : [""]),
      ...odd.flatMap((sentence) => fieldsText([["odd", sentence, paint.odd]])),
    ]),
  );
}
