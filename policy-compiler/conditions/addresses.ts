import type { Environment } from "@marcbachmann/cel-js";
import { parseIpAddress } from "#policy-compiler/ruleset/ip-address";
import { parseCidr } from "#policy-compiler/ruleset/patterns/cidr";
import { inBlock } from "#policy-compiler/ruleset/patterns/in-block";
import { canonicalAddress } from "./address-text.ts";
import { constantFunction } from "./constant-function.ts";
import { faults } from "./evaluation-fault.ts";

/** A block of addresses inside an expression. */
class Cidr {
  readonly bytes: readonly number[];
  readonly prefixLength: number;

  constructor(bytes: readonly number[], prefixLength: number) {
    this.bytes = bytes;
    this.prefixLength = prefixLength;
  }
}

const sync = { async: false } as const;

/** `ip`, `isIP`, `cidr` and `containsIP`. Addresses are texts in canonical form, so that they can be compared. */
export function registerAddressFunctions(environment: Environment): void {
  environment.registerType("CIDR", { ctor: Cidr, fields: {} });
  environment.registerFunction(
    "ip(string): string",
    (text: string) => {
      const address = canonicalAddress(text);
      if (address === undefined) throw faults.notAnAddress;
      return address;
    },
    sync,
  );
  environment.registerFunction("isIP(string): bool", (text: string) => parseIpAddress(text) !== undefined, sync);
  constantFunction(environment, "cidr(ast): CIDR", {
    constant: 0,
    type: "CIDR",
    prepare(text) {
      const parse = parseCidr(text);
      if (!parse.ok) return { fault: `\`${text}\` is no block of addresses such as \`10.0.0.0/8\`` };
      const block = new Cidr(parse.cidr.bytes, parse.cidr.prefixLength);
      return { run: () => block };
    },
  });
  environment.registerFunction(
    "CIDR.containsIP(string): bool",
    (block: Cidr, text: string) => {
      const bytes = parseIpAddress(text);
      if (bytes === undefined) throw faults.notAnAddress;
      return inBlock({ bytes }, block.bytes, block.prefixLength);
    },
    sync,
  );
}
