import type { CommandContext } from "../command.ts";
import { renderFinding } from "../config/codes.ts";
import { exitCodeOfConfig } from "../exit-codes.ts";
import { loadAgentConfig } from "./load-config.ts";

/** `garita agent check-config`: reads a configuration as the agent would, and starts nothing. */
export async function checkAgentConfig(file: string, context: CommandContext): Promise<void> {
  const read = await loadAgentConfig(file, context.environment);
  if (read.ok) {
    const { length } = read.config.identities;
    context.write(`\`${file}\` is in order: ${length} ${length === 1 ? "identity" : "identities"}\n`);
    return;
  }
  context.writeError(`${read.findings.map(renderFinding).join("\n")}\n`);
  context.finish(exitCodeOfConfig(read.findings));
}
