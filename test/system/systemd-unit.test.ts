import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const unit = fileURLToPath(new URL("../../deploy/systemd/garita.service", import.meta.url));

function verify(path: string): { status: number | null; said: string } {
  const ran = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
  assert.equal(ran.error, undefined, "systemd-analyze cannot be run");
  return { status: ran.status, said: `${ran.stdout}${ran.stderr}` };
}

/** The unit with its program replaced by one that exists, since verify demands that. */
function place(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "garita-unit-"));
  const path = join(folder, "garita.service");
  writeFileSync(path, text);
  return path;
}

test("systemd accepts the unit without a warning", () => {
  const path = place(readFileSync(unit, "utf8").replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
  const { status, said } = verify(path);
  rmSync(path);
  assert.equal(said.trim(), "");
  assert.equal(status, 0);
});

test("systemd finds a misspelt setting, so that silence means something", () => {
  const path = place(readFileSync(unit, "utf8").replace("ProtectHome=yes", "ProtectHouse=yes"));
  const { said } = verify(path);
  rmSync(path);
  assert.match(said, /ProtectHouse/);
});

test("the unit gives the service no capability and no way to gain one", () => {
  const text = readFileSync(unit, "utf8");
  for (const line of ["NoNewPrivileges=yes", "CapabilityBoundingSet=", "DynamicUser=yes", "ProtectSystem=strict"]) {
    assert.ok(text.split("\n").includes(line), `${line} is missing`);
  }
});
