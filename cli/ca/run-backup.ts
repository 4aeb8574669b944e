import { resolve } from "node:path";
import type { CommandContext } from "../command.ts";
import { openClient } from "./client.ts";
import { jsonText } from "./paint.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

/** `garita ca backup FILE`: the running service writes a consistent copy of its store, keys still encrypted, on its own machine. */
export async function backup(
  file: string,
  options: ServiceOptions & FormatOptions,
  context: CommandContext,
): Promise<void> {
  const path = resolve(file);
  const client = await openClient(options, context);
  await client.post("/v1/ca/backup", { file: path });
  if (options.format === "json") context.write(jsonText({ file: path }));
  else context.write(`written: ${path} (its keys need the key-encryption key, which is not in it)\n`);
}
