import { CodedError } from "#platform/coded-error";
import { jsonText, paintFor } from "../ca/paint.ts";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { askAgent } from "./ask-agent.ts";
import { statusPath } from "./serve-status.ts";
import { statusText } from "./status-text.ts";

export interface StatusOptions {
  readonly socket: string;
  readonly format: "text" | "json";
}

/** `garita agent status`: what a running agent says of its identities. Ends with the status of a gate where one has no valid certificate. */
export async function agentStatus({ socket, format }: StatusOptions, context: CommandContext): Promise<void> {
  const status = await askAgent(socket, "GET", statusPath);
  if (status === undefined)
    throw new CodedError("service/answer", `what answers at \`${socket}\` is no agent of Garita`);
  if (status.identities.some(({ state }) => state !== "valid")) context.finish(exitCodes.gate);
  context.write(format === "json" ? jsonText(status) : statusText(status, Date.now(), paintFor(context)));
}
