import { CodedError, messageOf } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
const codes: Readonly<Record<number, FaultCode>> = {
  // A table that is not as the schema made it: our statements are tried by every test.
  1: "ca-store/damaged", // ERROR
  5: "ca-store/locked", // BUSY
  6: "ca-store/locked", // LOCKED
  8: "ca-store/unavailable", // READONLY
  10: "ca-store/unavailable", // IOERR
  11: "ca-store/damaged", // CORRUPT
  13: "ca-store/full", // FULL
  14: "ca-store/unavailable", // CANTOPEN
  // Whatever could offend is looked for before a row is written: then an index does not say what its table holds.
  19: "ca-store/damaged", // CONSTRAINT
};

/** NOTADB. */
const notDatabase = 26;

const sentences: Partial<Record<FaultCode, string>> = {
  "ca-store/locked": "another program has the database open: one service uses it at a time",
  "ca-store/full": "no room is left for the database",
  "ca-store/damaged": "the database is damaged: bring back the newest backup with `garita ca restore`",
  "ca-store/unavailable": "the database cannot be read or written",
};

/**
 * What a fault that SQLite gave means to an operator; `subject` names the file. Whatever is no fault of the machine or the file comes back as it is: a defect
 * of ours.
 */
export function codedFault(thrown: unknown, subject: string): unknown {
  if (thrown instanceof CodedError) return thrown;
  // A number that no writer of ours writes: SQLite's integers are larger than ours.
  const outOfRange = thrown instanceof Error && Reflect.get(thrown, "code") === "ERR_OUT_OF_RANGE";
  const errcode = thrown instanceof Error ? Reflect.get(thrown, "errcode") : undefined;
  if (typeof errcode === "number" && (errcode & 0xff) === notDatabase) {
    return new CodedError(
      "ca-store/damaged",
      `\`${subject}\` is no store of an authority, or it is damaged from its first byte on`,
      { cause: thrown },
    );
  }
  const code = outOfRange ? "ca-store/damaged" : typeof errcode === "number" ? codes[errcode & 0xff] : undefined;
  if (code === undefined) return thrown;
  return new CodedError(code, `${sentences[code]} (\`${subject}\`: ${messageOf(thrown)})`, { cause: thrown });
}
