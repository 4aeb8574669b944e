import type { Explanation } from "#ca/store/contract";
import type { Ledger } from "#ca/store/sqlite/ledger";

/** How many explanations are kept. */
const keptExplanations = 10_000;

/** Explanations of refusals. They are no part of the audit log. */
export function explanationOperations({ database }: Ledger) {
  const insert = database.prepare("INSERT OR REPLACE INTO explanations (id, explanation) VALUES (?, ?)");
  const forget = database.prepare(
    "DELETE FROM explanations WHERE sequence <= (SELECT max(sequence) FROM explanations) - ?",
  );
  const find = database.prepare("SELECT explanation FROM explanations WHERE id = ?");
  return {
    /** Pairs of an id and the JSON of its explanation. */
    keepExplanations(explanations: readonly (readonly [id: string, json: string])[]): void {
      for (const [id, json] of explanations) insert.run(id, json);
      forget.run(keptExplanations);
    },
    explanation(id: string): Explanation | undefined {
      const json = find.get(id)?.["explanation"];
      if (typeof json !== "string") return undefined;
      const kept: Explanation = JSON.parse(json);
      // JSON leaves out what is undefined.
      return { ...kept, remoteAddress: kept.remoteAddress };
    },
  };
}
