import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigCode } from "#cli/config/codes";
import { readConfig } from "#cli/config/load";

/** A file with one fault; `^` stands before the place that the finding must name. */
export interface ConfigFaultRow {
  readonly title: string;
  readonly code: ConfigCode;
  readonly message: RegExp;
  readonly yaml: string;
}

/** One test for each row. */
export function testConfigFaults(rows: readonly ConfigFaultRow[]): void {
  for (const { title, code, message, yaml } of rows) {
    test(`${title}: ${code}`, async () => {
      const place = yaml.indexOf("^");
      const text = yaml.slice(0, place) + yaml.slice(place + 1);
      const result = await readConfig(text, "/etc/garita.yaml", {});
      assert.ok(!result.ok, "the configuration was accepted");
      const before = text.slice(0, place).split("\n");
      const found = result.findings.map((finding) => [finding.code, finding.line, finding.column]);
      const wanted = [code, before.length, before.at(-1)!.length + 1];
      assert.ok(
        found.some((one) => one.join() === wanted.join()),
        `${JSON.stringify(found)} lacks ${JSON.stringify(wanted)}`,
      );
      assert.match(result.findings.find((finding) => finding.code === code)!.message, message);
    });
  }
}
