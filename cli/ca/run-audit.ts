import type { AuditShape } from "#ca/transport/http/shapes";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { shaped } from "./answers.ts";
import { openClient } from "./client.ts";
import { fieldsText, jsonText, linesText, type Paint, paintFor } from "./paint.ts";
import type { FormatOptions, ServiceOptions } from "./service-options.ts";

/** `garita ca audit verify FILE`: the log of a store or backup that no service uses. */
export async function verifyAuditFile(file: string, options: FormatOptions, context: CommandContext): Promise<void> {
  const { verifyStoreFile } = await import("./verify-store-file.ts");
  writeReport(await verifyStoreFile(file, Date.now()), options, context);
}

/** `garita ca audit verify`: a running authority reads its whole log; 5 when a record was edited, removed, moved or cut off. */
export async function verifyAudit(options: ServiceOptions & FormatOptions, context: CommandContext): Promise<void> {
  const client = await openClient(options, context);
  const report = shaped<AuditShape>(await client.get("/v1/ca/audit"), client, {
    ok: "flag",
    entries: "number",
    heads: "number",
    sealedUpTo: "number",
    faults: "list",
  });
  writeReport(report, options, context);
}

/** Writes what a verification of the log found, and ends with 5 if it found something. */
function writeReport(report: AuditShape, { format }: FormatOptions, context: CommandContext): void {
  context.write(format === "json" ? jsonText(report) : reportText(report, paintFor(context)));
  if (!report.ok) context.finish(exitCodes.gate);
}

function reportText({ ok, entries, heads, sealedUpTo, faults }: AuditShape, paint: Paint): string {
  return linesText([
    ...faults.flatMap(({ entry, message }) => fieldsText([[`entry ${entry}`, message, paint.bad]])),
    ...fieldsText([
      ["log", ok ? "whole" : "not whole", ok ? paint.good : paint.bad],
      ["entries", String(entries)],
      ["sealed", `up to entry ${sealedUpTo}, by ${heads} signed head${heads === 1 ? "" : "s"}`],
    ]),
  ]);
}
