import type { CaStore, JoinTokenRecord } from "#ca/store/contract";
import { quote } from "#identity/encoding/quote";
import { parseSpiffeId } from "#identity/spiffe-id";
import { CodedError } from "#platform/coded-error";
import { parseJoinToken } from "./join-token-text.ts";
import { type MethodAnswer, refused, unavailable } from "./method.ts";
import { isInBlocks } from "./source-blocks.ts";

export interface JoinTokenMethodParts {
  readonly store: Pick<CaStore, "joinToken">;
  /** Name of ours: a token of a store that once was another domain's gives nothing. */
  readonly trustDomain: string;
}

/**
 * Proves a caller by a join token: known, not used, not ended, and brought from where it may be. It is looked up by the hash of its secret alone, so that no time
 * tells how near a guess is. The token is not used up by this: the record of the intent does that, in one step, and is what decides between
 * two who bring it at once.
 */
export function createJoinTokenMethod({ store, trustDomain }: JoinTokenMethodParts) {
  return async (text: string, remoteAddress: string | undefined, nowMillis: number): Promise<MethodAnswer> => {
    const parts = parseJoinToken(text);
    if (parts === undefined) return refused("the join token is not whole, or of another version");
    let record: JoinTokenRecord | undefined;
    try {
      record = await store.joinToken(parts.hash);
    } catch (fault) {
      if (!(fault instanceof CodedError)) throw fault;
      return unavailable(`join tokens cannot be looked up now: ${fault.code}`);
    }
    if (record === undefined) return refused("no such join token");
    const refusal = recordRefusal(record, remoteAddress, nowMillis);
    if (refusal !== undefined) return refused(refusal);
    const parsed = parseSpiffeId(record.spiffeId);
    if (!parsed.ok || parsed.id.path === "" || parsed.id.trustDomain !== trustDomain) {
      return refused(`the join token is for ${quote(record.spiffeId)}, which is no workload of \`${trustDomain}\``);
    }
    return { ok: true, caller: { method: "join-token", id: parsed.id, tokenHash: parts.hash } };
  };
}

/** ORDER: that a token was used is told before that it has ended, because somebody may have stolen it. */
function recordRefusal(
  { used, expiresMillis, sourceCidrs }: JoinTokenRecord,
  remoteAddress: string | undefined,
  nowMillis: number,
): string | undefined {
  if (used !== undefined) {
    const from = used.remoteAddress === undefined ? "" : ` from ${used.remoteAddress}`;
    return `the join token was used at ${timeText(used.atMillis)}${from}, for the certificate ${used.serialHex}`;
  }
  if (!(nowMillis < expiresMillis)) return `the join token has ended at ${timeText(expiresMillis)}`;
  if (sourceCidrs.length === 0 || isInBlocks(remoteAddress, sourceCidrs)) return undefined;
  return `the join token may be used from ${sourceCidrs.join(", ")}, and not from ${remoteAddress ?? "a socket without an address"}`;
}

function timeText(millis: number): string {
  return new Date(millis).toISOString();
}
