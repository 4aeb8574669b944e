import { readFileSync } from "node:fs";

/** Names the file that holds by how many milliseconds the wall clock is off. */
export const shiftFileVariable = "GARITA_TEST_CLOCK_SHIFT_FILE";

/** Preloaded (`--import`) into the program: its wall clock is off by what the file says at each look. The monotonic clock and timers are the machine's. */
const file = process.env[shiftFileVariable];
if (file !== undefined) {
  const Right = Date;
  const now = () => Right.now() + Number(readFileSync(file, "utf8"));
  globalThis.Date = class extends Right {
    constructor(...args: [] | [number]) {
      super(...((args.length === 0 ? [now()] : args) as [number]));
    }
    static override now(): number {
      return now();
    }
  } as DateConstructor;
}
