import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Each with who it runs as. */
const units = { garita: "DynamicUser=yes", "garita-agent": "User=garita-agent" } as const;
const textOf = (unit: string) =>
  readFileSync(fileURLToPath(new URL(`../../deploy/systemd/${unit}.service`, import.meta.url)), "utf8");

function verify(path: string): { status: number | null; said: string } {
  const ran = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
  assert.equal(ran.error, undefined, "systemd-analyze cannot be run");
  return { status: ran.status, said: `${ran.stdout}${ran.stderr}` };
}

/** The unit with its program replaced by one that exists, since verify demands that. */
function place(unit: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "garita-unit-"));
  const path = join(folder, `${unit}.service`);
  writeFileSync(path, text);
  return path;
}

for (const [unit, user] of Object.entries(units)) {
  test(`systemd accepts the unit ${unit} without a warning`, () => {
    const path = place(unit, textOf(unit).replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
    const { status, said } = verify(path);
    rmSync(path);
    assert.equal(said.trim(), "");
    assert.equal(status, 0);
  });

  test(`systemd finds a misspelt setting in ${unit}, so that silence means something`, () => {
    const path = place(unit, textOf(unit).replace("ProtectHome=yes", "ProtectHouse=yes"));
    const { said } = verify(path);
    rmSync(path);
    assert.match(said, /ProtectHouse/);
  });

  test(`the unit ${unit} gives the service no capability and no way to gain one`, () => {
    for (const line of ["NoNewPrivileges=yes", "CapabilityBoundingSet=", user, "ProtectSystem=strict"]) {
      assert.ok(textOf(unit).split("\n").includes(line), `${line} is missing`);
    }
  });
}
