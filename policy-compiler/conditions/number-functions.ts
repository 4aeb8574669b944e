import type { Environment } from "@marcbachmann/cel-js";
import { faults } from "./evaluation-fault.ts";

const sync = { async: false } as const;

/**
 * Conversions that stand in for the library's: those take an empty text for 0, `0b11` for 3 and 1e300 for an int. The names end in `_`,
 * which no author can write (`walk.ts`).
 */
export function registerNumberFunctions(environment: Environment): void {
  const on = (signature: string, run: (...values: never[]) => unknown) =>
    environment.registerFunction(signature, run, sync);
  on("int_(int): int", (value: bigint) => value);
  on("int_(double): int", (value: number) => {
    // CEL: a double that is not strictly inside the range of 64 bits has no int.
    if (!(value > -(2 ** 63) && value < 2 ** 63)) throw faults.notAnInteger;
    return BigInt(Math.trunc(value));
  });
  on("int_(string): int", (text: string) => {
    if (text.length > 20 || !/^[+-]?\d+$/.test(text)) throw faults.notAnInteger;
    const value = BigInt(text);
    if (BigInt.asIntN(64, value) !== value) throw faults.notAnInteger;
    return value;
  });
  on("double_(double): double", (value: number) => value);
  on("double_(int): double", (value: bigint) => Number(value));
  on("double_(string): double", (text: string) => {
    if (text.length > 40 || !/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw faults.notADouble;
    return Number(text);
  });
  on("string_(string): string", (value: string) => value);
  on("string_(bool): string", (value: boolean) => String(value));
  on("string_(int): string", (value: bigint) => String(value));
  on("string_(double): string", doubleText);
}

function doubleText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : Object.is(value, -0) ? "-0" : String(value);
}
