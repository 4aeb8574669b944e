import { lackingSentences } from "#authz/check/attributes/lacking";
import type { CheckRecord, ListenerSettings } from "#authz/check/contract";

export interface LackingWatch {
  observe(record: CheckRecord): void;
  /** One sentence a listener and missing line, for the status page. */
  warnings(): readonly string[];
}

/**
 * Remembers by listener which attributes the rule set in force asked for and the asking Envoys were not told to send. Such a rule fails
 * closed, which an operator sees as a denial; this says how to mend it. A new rule set starts anew. `settingsOf`: those of a listener
 * that runs.
 */
export function createLackingWatch(
  settingsOf: (listener: string) => Pick<ListenerSettings, "protocol" | "attributeHeaders"> | undefined,
): LackingWatch {
  let digest: string | undefined;
  const lacking = new Map<string, number>();
  return {
    observe(record) {
      if (record.digest !== digest) {
        digest = record.digest;
        lacking.clear();
      }
      if (record.lacking === 0) return;
      lacking.set(record.listener, (lacking.get(record.listener) ?? 0) | record.lacking);
    },
    warnings: () =>
      [...lacking].flatMap(([listener, bits]) => {
        const settings = settingsOf(listener);
        if (settings === undefined) return [];
        return lackingSentences(bits, settings).map((sentence) => `listener ${listener}: ${sentence}`);
      }),
  };
}
