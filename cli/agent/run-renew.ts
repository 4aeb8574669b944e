import { CodedError } from "#platform/coded-error";
import { jsonText, paintFor } from "../ca/paint.ts";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { askAgent } from "./ask-agent.ts";
import type { StatusOptions } from "./run-status.ts";
import { renewPath } from "./serve-status.ts";
import type { RenewedShape } from "./status-shape.ts";
import { statusText } from "./status-text.ts";

export interface RenewOptions extends StatusOptions {
  /** Undefined: every identity. */
  readonly id?: string;
}

/**
 * `garita agent renew`: has identities renewed now, and tells how they are then. Ends with the status of a refusal where one was not renewed. Fails with `agent/identity` for one that
 * the agent does not have.
 */
export async function agentRenew({ socket, format, id }: RenewOptions, context: CommandContext): Promise<void> {
  const status = await askAgent(
    socket,
    "POST",
    id === undefined ? renewPath : `${renewPath}?id=${encodeURIComponent(id)}`,
  );
  if (status === undefined)
    throw new CodedError("agent/identity", `the agent at \`${socket}\` has no identity \`${id ?? ""}\``);
  if (!(status as RenewedShape).allRenewed) context.finish(exitCodes.denied);
  context.write(format === "json" ? jsonText(status) : statusText(status, Date.now(), paintFor(context)));
}
