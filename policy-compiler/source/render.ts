import type { Diagnostic } from "./diagnostic.ts";
import { LineTable } from "./locate.ts";

/** Widest excerpt of a line that is shown. */
const width = 120;

/**
 * Renders a diagnostic as plain text: place, severity, code and message, then the line with a caret under the place, then
 * the help. `text` is that of the file; without it there is no excerpt. Nothing in it can steer a terminal.
 */
export function renderDiagnostic(diagnostic: Diagnostic, text: string | undefined): string {
  const { file, start, severity, code, message, help } = diagnostic;
  const lines = [printable(`${file}:${start.line}:${start.column}: ${severity}[${code}]: ${message}`)];
  const gutter = " ".repeat(String(start.line).length);
  if (text !== undefined) lines.push(...renderExcerpt(diagnostic, new LineTable(text), gutter));
  if (help !== undefined) lines.push(printable(`${gutter} = help: ${help}`));
  return lines.join("\n");
}

function renderExcerpt(diagnostic: Diagnostic, table: LineTable, gutter: string): readonly string[] {
  const { start, end } = diagnostic;
  const line = hideSecrets(table.line(start.line));
  const from = start.column - 1;
  const to = end.line === start.line ? end.column - 1 : line.length;
  // Of a long line a window is shown that begins a little before the place.
  const cut = line.length > width && from > width / 2 ? from - Math.floor(width / 3) : 0;
  const shown = line.slice(cut, cut + width);
  const carets = Math.max(1, Math.min(to, cut + shown.length) - from);
  return [
    `${gutter} |`,
    `${start.line} | ${printable(shown)}`.trimEnd(),
    `${gutter} | ${" ".repeat(from - cut)}${"^".repeat(carets)}`,
  ];
}

/** Every unit that is not a visible character becomes a blank or a mark of the same width, so that carets stay in place. */
export function printable(text: string): string {
  return text
    .replaceAll("\t", " ")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (match) => "\u{fffd}".repeat(match.length));
}

/** Members of a JSON Web Key that nobody but its owner may see (RFC 7518 §6.2.2, §6.3.2, §6.4.1), however its quotes are written. */
const secretMembers = /((?:["']|\\")(?:k|d|p|q|dp|dq|qi)(?:["']|\\")\s*:\s*(?:["']|\\"))([^"'\\]+)/g;

/** A line of a policy as it may be shown: key sets stand in policies, and some hold what they should not. As long as before. */
function hideSecrets(line: string): string {
  return line.replace(secretMembers, (_, member: string, value: string) => member + "*".repeat(value.length));
}
