import type { RevokedShape } from "#ca/transport/http/shapes";
import { parseSpiffeId } from "#identity/spiffe-id";
import type { CommandContext } from "../command.ts";
import { UsageFault } from "../usage-fault.ts";
import { shaped } from "./answers.ts";
import { openClient } from "./client.ts";
import { jsonText } from "./paint.ts";
import { normalSerial } from "./run-inventory.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

/** `garita ca revoke SERIAL|SPIFFE-ID`: one certificate, or all that an identity has and asks for. */
export async function revoke(
  target: string,
  options: ServiceOptions & FormatOptions & { readonly reason: string },
  context: CommandContext,
): Promise<void> {
  const what = whatOf(target);
  const client = await openClient(options, context);
  const answer = await client.post("/v1/ca/revocations", { ...what, reason: options.reason });
  const { revoked } = shaped<RevokedShape>(answer, client, { revoked: "flag" });
  if (options.format === "json") context.write(jsonText({ ...what, revoked }));
  else context.write(revoked ? `revoked: ${target}\n` : `was revoked before: ${target}\n`);
}

function whatOf(target: string): { readonly serial: string } | { readonly spiffeId: string } {
  if (target.includes("/")) {
    if (parseSpiffeId(target).ok) return { spiffeId: target };
  } else if (/^[0-9a-f]{2,40}$/.test(normalSerial(target))) return { serial: normalSerial(target) };
  throw new UsageFault(`expected a serial number in hex or a SPIFFE ID, found \`${target}\``, { hinted: true });
}
