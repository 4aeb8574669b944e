import { auditOperations } from "#ca/store/sqlite/audit-operations";
import { authorityOperations } from "#ca/store/sqlite/authority-operations";
import { explanationOperations } from "#ca/store/sqlite/explanation-operations";
import { issuanceOperations } from "#ca/store/sqlite/issuance-operations";
import type { Ledger } from "#ca/store/sqlite/ledger";
import { revocationOperations } from "#ca/store/sqlite/revocation-operations";
import { tokenOperations } from "#ca/store/sqlite/token-operations";
import { CodedError } from "#platform/coded-error";

/**
 * What the store can be asked, by name. Each runs inside a transaction that others share.
 * INVARIANT: an operation that throws a `CodedError` of its own has written nothing yet; the neighbours stay.
 */
export function createOperations(ledger: Ledger, file: string) {
  const revocations = revocationOperations(ledger);
  return {
    ...revocations.operations,
    ...issuanceOperations(ledger, revocations.revocationOf),
    ...tokenOperations(ledger),
    ...authorityOperations(ledger),
    ...explanationOperations(ledger),
    ...auditOperations(ledger, file),
  };
}

export type Operations = ReturnType<typeof createOperations>;
export type OperationName = keyof Operations;

/** An operation and what it is given. Travels between threads: plain values alone. */
export type Call = { [Name in OperationName]: readonly [Name, Parameters<Operations[Name]>] }[OperationName];

/** What an operation gave, or the fault that it threw. */
export type Outcome = { readonly value: unknown } | { readonly fault: unknown };

/** Runs one call in the open transaction. */
export function perform(operations: Operations, [name, args]: Call): Outcome {
  try {
    const operation: (...args: never[]) => unknown = operations[name];
    return { value: operation(...(args as never[])) };
  } catch (fault) {
    if (fault instanceof CodedError) return { fault };
    throw fault;
  }
}
