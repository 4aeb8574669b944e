import assert from "node:assert/strict";
import { test } from "node:test";
import { conditionFaultCodes } from "#authz/engine/conditions/fault-codes";
import { decisionReasons } from "#authz/engine/decision";
import { configCodes } from "#cli/config/codes";
import { keySourceFaults } from "#identity/key-sources/faults";
import { fetchFaultCodes } from "#platform/fetch/fault-codes";
import { diagnosticCodes } from "#policy-compiler/source/codes";
import { readSource, sourceFiles, withoutComments } from "./source-tree.ts";

/** The tables of codes, and who gives them. (Those of failed operations: `fault-codes.test.ts`.) */
const tables = [
  { file: "policy-compiler/source/codes.ts", codes: diagnosticCodes, given: "policy-compiler/" },
  { file: "cli/config/codes.ts", codes: configCodes, given: "cli/config/" },
  { file: "authz/engine/decision.ts", codes: decisionReasons, given: "authz/" },
  {
    file: "authz/engine/conditions/fault-codes.ts",
    codes: conditionFaultCodes,
    given: ["authz/", "policy-compiler/conditions/"],
  },
  { file: "identity/key-sources/faults.ts", codes: keySourceFaults, given: "identity/" },
  { file: "platform/fetch/fault-codes.ts", codes: fetchFaultCodes, given: "platform/" },
] as const;

function textOf(prefixes: string | readonly string[], but: string): string {
  const given = [prefixes].flat();
  const files = sourceFiles().filter((path) => given.some((prefix) => path.startsWith(prefix)) && path !== but);
  return files.map((path) => withoutComments(readSource(path))).join("\n");
}

const tests = textOf("test/", "test/architecture/codes.test.ts");

for (const { file, codes, given } of tables) {
  test(`every code of ${file} is given by the program, and seen by a test`, () => {
    const program = textOf(given, file);
    const all = Object.keys(codes);
    const word = (code: string) => `(?<![\\w/-])${code}(?![\\w/-])`;
    const lacking = (text: string) => all.filter((code) => !new RegExp(word(code)).test(text));
    assert.deepEqual(lacking(program), [], "given nowhere");
    assert.deepEqual(lacking(tests), [], "no test");
  });
}
