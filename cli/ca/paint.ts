import { styleText } from "node:util";
import { printable } from "#policy-compiler/source/render";
import type { CommandContext } from "../command.ts";
import { wantsColour } from "../options.ts";

/** Marks for a terminal; without colour the words alone. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  odd(text: string): string;
  faint(text: string): string;
}

/** Colours where standard output is a terminal that wants them. */
export function paintFor(context: CommandContext): Paint {
  const colour = wantsColour(context, "output");
  const as = (style: "green" | "red" | "yellow" | "dim") => (text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  return { good: as("green"), bad: as("red"), odd: as("yellow"), faint: as("dim") };
}

/** Rows under each other, their names in one column. A row without a value is left out. Values are made printable here, before they are painted. */
export function fieldsText(
  fields: readonly (readonly [name: string, value: string | undefined, paint?: (text: string) => string])[],
  indent = "",
): string[] {
  const told = fields.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...told.map(([name]) => name.length));
  return told.map(([name, value = "", paint = plain]) => {
    const text = printable(value);
    return `${indent}${name.padEnd(width)}  ${paint(text)}`.trimEnd();
  });
}

/** A table with a line of titles. Cells are made printable; the last column is not filled up. */
export function tableText(titles: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string[] {
  const cells = rows.map((row) => row.map((cell) => printable(cell)));
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((row) => (row[i] ?? "").length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [paint.faint(line(titles)), ...cells.map(line)];
}

/** Lines that end. */
export function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** JSON for programs. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function plain(text: string): string {
  return text;
}
