import type { JoinTokenRecord } from "#ca/store/contract";
import { tokenBody, tokenMemoryMillis } from "#ca/store/entry-bodies";
import type { Ledger } from "#ca/store/sqlite/ledger";
import { tokenOf } from "#ca/store/sqlite/rows";
import { CodedError } from "#platform/coded-error";

/** Join tokens. They are redeemed with the intent: see `recordIntent`. */
export function tokenOperations(ledger: Ledger) {
  const { database } = ledger;
  const find = database.prepare("SELECT * FROM join_tokens WHERE hash = ?");
  const insert = database.prepare(
    "INSERT INTO join_tokens (number, hash, spiffe_id, created_millis, expires_millis, created_by, source_cidrs) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const newest = database.prepare(
    "SELECT * FROM join_tokens WHERE max(expires_millis, ifnull(used_millis, 0)) > ? ORDER BY number DESC LIMIT ?",
  );
  return {
    addJoinToken(token: JoinTokenRecord): void {
      if (token.used !== undefined) throw new Error("a new join token has not been used");
      if (find.get(token.hash) !== undefined)
        throw new CodedError("ca-store/exists", "this join token is there already");
      const number = ledger.append("token-created", token.createdMillis, tokenBody(token));
      const { hash, spiffeId, createdMillis, expiresMillis, createdBy, sourceCidrs } = token;
      insert.run(number, hash, spiffeId, createdMillis, expiresMillis, createdBy, JSON.stringify(sourceCidrs));
    },
    joinToken(hash: string): JoinTokenRecord | undefined {
      const row = find.get(hash);
      return row && tokenOf(row);
    },
    joinTokens(limit: number, nowMillis: number): readonly JoinTokenRecord[] {
      return newest.all(nowMillis - tokenMemoryMillis, limit).map(tokenOf);
    },
    /** What ended so long ago that nobody asks is taken out; the log keeps it. */
    forgetOldTokens(nowMillis: number): void {
      database
        .prepare("DELETE FROM join_tokens WHERE max(expires_millis, ifnull(used_millis, 0)) <= ?")
        .run(nowMillis - tokenMemoryMillis);
    },
    /** Ends every token that was not redeemed. Answers how many had still been good. */
    endTokens(atMillis: number): number {
      const end = "UPDATE join_tokens SET expires_millis = ? WHERE used_millis IS NULL AND expires_millis > ?";
      return Number(database.prepare(end).run(atMillis, atMillis).changes);
    },
  };
}
