import { access } from "node:fs/promises";
import { restoreBackup } from "#ca/store/sqlite/restore";
import type { CommandContext } from "../command.ts";
import { UsageFault } from "../usage-fault.ts";
import { caSection } from "./ca-section.ts";
import { headVerifierOf } from "./head-verifier.ts";
import { fieldsText, jsonText, linesText, paintFor } from "./paint.ts";
import type { FormatOptions } from "./service-options.ts";

/** `garita ca restore FILE`: puts a backup in the place of the store, which no service uses meanwhile. What was there is kept beside it. */
export async function restore(
  file: string,
  { config, format }: FormatOptions & { readonly config: string },
  context: CommandContext,
): Promise<void> {
  const ca = await caSection(config, context);
  await access(file).catch((cause: unknown) => {
    throw new UsageFault(`the backup \`${file}\` cannot be opened`, { cause });
  });
  const restored = await restoreBackup({
    backupFile: file,
    file: ca.store,
    nowMillis: Date.now(),
    headVerifier: headVerifierOf,
  });
  if (format === "json") {
    context.write(jsonText({ store: ca.store, ...restored }));
    return;
  }
  const paint = paintFor(context);
  context.write(
    linesText([
      ...fieldsText([
        ["restored", ca.store, paint.good],
        ["entries", String(restored.entries)],
        ["generation", String(restored.generation)],
        ["join tokens", `${restored.endedTokens} ended: they may have been used since the backup`],
        ["revocations", `${restored.keptRevocations} kept that the backup did not have`],
        ["before it", restored.replaced],
      ]),
      "next: garita serve; what was issued since the backup is not in the record: compare with the agents, and revoke what nobody has",
    ]),
  );
}
