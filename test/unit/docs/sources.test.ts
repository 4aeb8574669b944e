import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { faultCodes } from "#platform/fault-codes";

/** What an operator has to do for it stands elsewhere: what was kept is damaged, and the next good state takes its place. */
const asksNothing = new Set(["git/last-known-good", "bundle/last-known-good"]);

for (const area of ["git", "bundle"]) {
  test(`the page about policies from ${area} says what to do for every fault of theirs, and names no other`, () => {
    const page = readFileSync(
      new URL(`../../../docs/${area === "git" ? "git" : "bundles"}.md`, import.meta.url),
      "utf8",
    );
    const cells = [...page.matchAll(/^\| (`[a-z]+\/[^|]+) \|/gm)].map(([, cell]) => cell!).join();
    const named = [...cells.matchAll(/`([a-z]+\/[a-z-]+)`/g)].map(([, code]) => code!);
    const codes: readonly string[] = Object.keys(faultCodes);
    for (const code of codes) {
      if (code.startsWith(`${area}/`) && !asksNothing.has(code)) assert.ok(named.includes(code), code);
    }
    for (const code of named) assert.ok(codes.includes(code) || code === "policy/invalid", code);
  });
}
