import type { CreatedTokenShape, TokenShape } from "#ca/transport/http/shapes";
import { CodedError } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { shaped, shapedList } from "./answers.ts";
import { openClient } from "./client.ts";
import { momentText } from "./duration.ts";
import { jsonText, linesText, paintFor, tableText } from "./paint.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

export interface NewTokenOptions extends ServiceOptions, FormatOptions {
  readonly id: string;
  readonly ttl?: number;
  readonly from: readonly string[];
}

/** `garita ca token new`: a join token, alone on standard output, so that it can be piped; what is to be said of it goes to standard error. */
export async function newToken({ id, ttl, from, ...options }: NewTokenOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const answer = await client.post("/v1/ca/tokens", {
    spiffeId: id,
    ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
    ...(from.length === 0 ? {} : { sourceCidrs: from }),
  });
  const created = shaped<CreatedTokenShape>(answer, client, { token: "text", expires: "text" });
  if (!/^[\x21-\x7e]+$/.test(created.token)) {
    throw new CodedError("service/answer", `\`${client.name}\` answered with something that is no token`);
  }
  if (options.format === "json") {
    context.write(jsonText({ token: created.token, expires: created.expires }));
    return;
  }
  context.write(`${created.token}\n`);
  context.writeError(`for ${id}, once, ends ${momentText(Date.parse(created.expires), Date.now())}\n`);
}

/** `garita ca token list`: the tokens that were made, without their secrets. */
export async function listTokens(options: ServiceOptions & FormatOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const members = { hash: "text", spiffeId: "text", expires: "text", createdBy: "text", sourceCidrs: "list" } as const;
  const tokens = shapedList<TokenShape>(await client.get("/v1/ca/tokens"), client, "tokens", members);
  if (options.format === "json") context.write(jsonText({ tokens }));
  else if (tokens.length === 0) context.write("none\n");
  else {
    const now = Date.now();
    const rows = tokens.map((token) => [
      token.hash.slice(0, 12),
      stateOf(token, now),
      token.spiffeId,
      momentText(Date.parse(token.used?.at ?? token.expires), now),
      token.sourceCidrs.join(", ") || "anywhere",
      token.createdBy,
    ]);
    context.write(
      linesText(tableText(["token", "state", "identity", "used or ends", "from", "made by"], rows, paintFor(context))),
    );
  }
}

function stateOf({ used, expires }: TokenShape, nowMillis: number): string {
  if (used !== undefined) return "used";
  return Date.parse(expires) < nowMillis ? "ended" : "open";
}
