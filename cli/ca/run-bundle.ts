import { writePem } from "#ca/x509/pem";
import type { CommandContext } from "../command.ts";
import { openClient } from "./client.ts";
import { certificatesOf } from "./inspect/read-items.ts";
import { certificateLines } from "./inspect/render-items.ts";
import { jsonText, linesText, paintFor } from "./paint.ts";
import type { ServiceOptions } from "./service-options.ts";

/** `garita ca bundle show`: the roots in force, as text, PEM or the JSON that SPIFFE's federation reads. */
export async function showBundle(
  options: ServiceOptions & { readonly format: "text" | "pem" | "json" },
  context: CommandContext,
): Promise<void> {
  const client = await openClient(options, context);
  if (options.format === "json") {
    context.write(jsonText(await client.get("/v1/bundle.json")));
    return;
  }
  const pem = await client.text("/v1/bundle");
  const roots = certificatesOf(Buffer.from(pem), client.name);
  if (options.format === "pem") context.write(roots.map((der) => writePem("CERTIFICATE", der)).join(""));
  else {
    const paint = paintFor(context);
    const now = Date.now();
    context.write(
      linesText(roots.flatMap((der, i) => [...(i === 0 ? [] : [""]), ...certificateLines(der, now, paint)])),
    );
  }
}
