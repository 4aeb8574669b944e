import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { faultCodes } from "#platform/fault-codes";

const root = fileURLToPath(new URL("../../../", import.meta.url));

function textOf(folders: readonly string[]): string {
  return folders
    .flatMap((folder) =>
      readdirSync(root + folder, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ts") && !/fault-codes/.test(path))
        .map((path) => readFileSync(`${root}${folder}/${path}`, "utf8")),
    )
    .join("\n");
}

/** Codes that only a defect of ours or the machine's misery can bring about. */
const unreachable = ["source/compiler", "source/unstable", "admin/failed"];

test("every code is given by the program, and by a test", () => {
  const [program, tests] = [
    textOf(["platform", "authz", "ca", "cli"]),
    textOf(["test/unit", "test/integration", "test/contract"]),
  ];
  for (const code of Object.keys(faultCodes)) {
    assert.ok(program.includes(`"${code}"`), `${code} is given nowhere`);
    if (!unreachable.includes(code)) assert.ok(tests.includes(code), `${code} has no test`);
  }
});
