import type { ExplainedStep, Explanation } from "#ca/store/contract";
import type { Batches } from "#ca/store/sqlite/batches";
import type { Timers } from "#platform/timers";

/** Explanations go to the disk together, this long after the first of them. */
const delayMillis = 200;
/** So many at a time: a flood of refusals takes no more of the disk. What comes beyond is counted and gone. */
const mostWaiting = 200;
/** Of a text of a step. */
const longestText = 500;
/** Of one explanation, as JSON. */
const largestSizeBytes = 16 * 1024;

export interface Explanations {
  keep(explanation: Explanation): void;
  /** One that waits to be written. */
  waiting(id: string): Explanation | undefined;
  /** Sends what waits. */
  flush(): void;
  readonly dropped: number;
}

/** Explanations on their way to the store: bounded in number and size, and never in anybody's way. */
export function createExplanations(batches: Batches, timers: Timers): Explanations {
  let waiting = new Map<string, { readonly explanation: Explanation; readonly json: string }>();
  let cancel: (() => void) | undefined;
  let dropped = 0;
  const flush = () => {
    cancel?.();
    cancel = undefined;
    if (waiting.size === 0) return;
    const sent = [...waiting].map(([id, { json }]) => [id, json] as const);
    waiting = new Map();
    if (batches.isUp) batches.submitUnheard(["keepExplanations", [sent]]);
    else dropped += sent.length;
  };
  return {
    keep(given) {
      const explanation = shortened(given);
      const json = JSON.stringify(explanation);
      if (waiting.size >= mostWaiting || Buffer.byteLength(json) > largestSizeBytes) {
        dropped++;
        return;
      }
      waiting.set(explanation.id, { explanation, json });
      cancel ??= timers.after(delayMillis, flush);
    },
    waiting: (id) => waiting.get(id)?.explanation,
    flush,
    get dropped() {
      return dropped;
    },
  };
}

function shortened(explanation: Explanation): Explanation {
  return { ...explanation, steps: explanation.steps.map(shortenedStep) };
}

function shortenedStep({ step, ok, seen, wanted, remedy }: ExplainedStep): ExplainedStep {
  return { step, ok, seen: shortText(seen), wanted: shortText(wanted), remedy: shortText(remedy) };
}

function shortText(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`;
}
