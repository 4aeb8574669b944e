import { type Ledger, lastEntry } from "#ca/store/sqlite/ledger";
import { type Reply, type SentFault, sentFault } from "#ca/store/sqlite/messages";
import { type Call, type Operations, type Outcome, perform } from "#ca/store/sqlite/operations";
import { codedFault } from "#ca/store/sqlite/sqlite-faults";

type BatchReply = Extract<Reply, { readonly kind: "batch" }>;

/**
 * Runs calls as one transaction: when this returns, what those that have no fault wrote is on the disk. Where the transaction fails each call gets one of its own, so that one
 * that cannot be written takes no neighbour with it, and those that only read are answered.
 */
export function runBatch(ledger: Ledger, operations: Operations, calls: readonly Call[], file: string): BatchReply {
  const numberBefore = ledger.state.number;
  let outcomes: readonly Outcome[];
  let writeFault: SentFault | undefined;
  try {
    outcomes = ledger.transaction(() => calls.map((call) => perform(operations, call)));
  } catch {
    // The fault is told of each call that meets it again.
    outcomes = calls.map((call) => {
      try {
        return ledger.transaction(() => perform(operations, call));
      } catch (thrown) {
        const fault = codedFault(thrown, file);
        const sent = sentFault(fault);
        if (sent.code !== undefined) writeFault = sent;
        return { fault };
      }
    });
  }
  const values: unknown[] = [];
  const faults: [number, SentFault][] = [];
  outcomes.forEach((outcome, place) => {
    if ("fault" in outcome) {
      values.push(undefined);
      faults.push([place, sentFault(outcome.fault)]);
    } else values.push(outcome.value);
  });
  const probed = outcomes.some((outcome, place) => calls[place]?.[0] === "probeWriting" && "value" in outcome);
  return {
    kind: "batch",
    values,
    faults,
    writeFault,
    wrote: probed || ledger.state.number !== numberBefore,
    last: lastEntry(ledger),
  };
}
