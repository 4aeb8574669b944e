import type { JoinTokenRecord } from "#ca/store/contract";
import { quote } from "#identity/encoding/quote";
import type { SpiffeId } from "#identity/spiffe-id";
import { CodedError } from "#platform/coded-error";
import { joinSecretBytes, joinSecretHash, renderJoinToken } from "./join-token-text.ts";
import { plainBlock } from "./source-blocks.ts";

/** Long enough to start a machine by hand. */
export const defaultJoinTokenSeconds = 10 * 60;
/** A secret that lies about for longer is found by somebody. */
export const maxJoinTokenSeconds = 24 * 60 * 60;
const mostBlocks = 64;

export interface JoinTokenWanted {
  /** So many random bytes, from a source that nobody can foresee. */
  readonly random: (sizeBytes: number) => Uint8Array;
  /** SHA-256 of the DER of the root that clients should trust, hex. */
  readonly rootFingerprint: string;
  /** The one identity that the token gives. That it is of our trust domain, and that a registration gives it to a join token, is for the caller to have looked at. */
  readonly spiffeId: SpiffeId;
  /** Undefined: ten minutes. */
  readonly ttlSeconds: number | undefined;
  readonly createdBy: string;
  /** Addresses, or blocks of them, from which it may be used; empty: any. */
  readonly sourceCidrs: readonly string[];
  readonly nowMillis: number;
}

/** The token is for whoever asked for it, once; the record, which cannot be turned back into it, is for the store. */
export interface CreatedJoinToken {
  readonly token: string;
  readonly record: JoinTokenRecord;
}

/**
 * Makes a join token and what is to be remembered of it. Nothing is stored yet. Throws a `CodedError`: `ca-token/identity` for an identity without a path,
 * `ca-token/lifetime`, `ca-token/source`.
 */
export function createJoinToken(wanted: JoinTokenWanted): CreatedJoinToken {
  const { random, rootFingerprint, spiffeId, createdBy, nowMillis } = wanted;
  if (spiffeId.path === "") {
    throw new CodedError(
      "ca-token/identity",
      `expected the identity of a workload, found ${quote(spiffeId.toString())}`,
    );
  }
  const ttlSeconds = checkedLifetime(wanted.ttlSeconds ?? defaultJoinTokenSeconds);
  const sourceCidrs = checkedBlocks(wanted.sourceCidrs);
  const secret = random(joinSecretBytes);
  return {
    token: renderJoinToken(secret, rootFingerprint),
    record: {
      hash: joinSecretHash(secret),
      spiffeId: spiffeId.toString(),
      createdMillis: nowMillis,
      expiresMillis: nowMillis + ttlSeconds * 1000,
      createdBy,
      sourceCidrs,
      used: undefined,
    },
  };
}

function checkedLifetime(ttlSeconds: number): number {
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= maxJoinTokenSeconds) return ttlSeconds;
  const expected = `expected a lifetime of 1 to ${maxJoinTokenSeconds} whole seconds`;
  throw new CodedError("ca-token/lifetime", `${expected}, found ${ttlSeconds}`);
}

function checkedBlocks(texts: readonly string[]): readonly string[] {
  if (texts.length > mostBlocks) {
    throw new CodedError(
      "ca-token/source",
      `expected at most ${mostBlocks} blocks of addresses, found ${texts.length}`,
    );
  }
  return texts.map((text) => {
    const block = plainBlock(text);
    if (block !== undefined) return block;
    const expected = "expected an address or a block such as `10.0.0.0/8` without bits behind its prefix";
    throw new CodedError("ca-token/source", `${expected}, found ${quote(text)}`);
  });
}
