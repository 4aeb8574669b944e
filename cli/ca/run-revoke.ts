import type { RevocationQuestion, RevokedShape } from "#ca/transport/http/shapes";
import { parseSpiffeId } from "#identity/spiffe-id";
import type { CommandContext } from "../command.ts";
import { normalFingerprint } from "../fingerprint.ts";
import { UsageFault } from "../usage-fault.ts";
import { shaped } from "./answers.ts";
import { openClient } from "./client.ts";
import { jsonText } from "./paint.ts";
import { normalSerial, serialsBeside } from "./run-inventory.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

export interface RevokeOptions extends ServiceOptions, FormatOptions {
  readonly reason: string;
  readonly fingerprint?: string;
}

/** So many of the certificates that stay good are named. */
const mostNamed = 10;

/**
 * `garita ca revoke SERIAL|SPIFFE-ID` or `--fingerprint SHA-256`: one certificate, or all that an identity has and asks for. After a serial it tells which others the identity has: a machine that
 * renewed goes on with connections that it opened by the one before.
 */
export async function revoke(
  target: string | undefined,
  options: RevokeOptions,
  context: CommandContext,
): Promise<void> {
  const { reason, fingerprint, format } = options;
  const what = whatOf(target, fingerprint);
  const client = await openClient(options, context);
  const answer = await client.post("/v1/ca/revocations", { ...what, reason });
  const { revoked } = shaped<RevokedShape>(answer, client, { revoked: "flag" });
  const told = target ?? fingerprint;
  if (format === "json") context.write(jsonText({ ...what, revoked }));
  else context.write(revoked ? `revoked: ${told}\n` : `was revoked before: ${told}\n`);
  if (format === "json" || !("serial" in what)) return;
  const others = await serialsBeside(what.serial, client);
  const named = [...others.slice(0, mostNamed), ...(others.length > mostNamed ? ["…"] : [])].join(", ");
  if (others.length > 0) context.write(`not revoked: ${named}, which the same identity has and which have not ended\n`);
}

type What<Question> = Question extends unknown ? Omit<Question, "reason"> : never;

function whatOf(target: string | undefined, fingerprint: string | undefined): What<RevocationQuestion> {
  if ((target === undefined) === (fingerprint === undefined))
    throw new UsageFault("expected a serial number, a SPIFFE ID or --fingerprint, one of them", { hinted: true });
  if (fingerprint !== undefined) return { fingerprint: normalFingerprint(fingerprint) };
  const named = target ?? "";
  if (named.includes("/")) {
    if (parseSpiffeId(named).ok) return { spiffeId: named };
  } else if (/^[0-9a-f]{2,40}$/.test(normalSerial(named))) return { serial: normalSerial(named) };
  throw new UsageFault(`expected a serial number in hex or a SPIFFE ID, found \`${named}\``, { hinted: true });
}
