import type { Span } from "#policy-compiler/source/diagnostic";
import type { YamlScalar } from "./tree.ts";

/**
 * A run of the text of a scalar and the run of the file that it was read from, in UTF-16 units. Runs of one length correspond unit
 * by unit; of two lengths (an escape, a folded line end) only as a whole.
 */
export interface TextRun {
  readonly at: number;
  readonly length: number;
  readonly source: number;
  readonly sourceLength: number;
  /** A line end of the file that is none in the text: a blank, or nothing. */
  readonly joins?: true;
}

/**
 * Where each part of a scalar's text stands in its file: what the styles of YAML do to a text, undone. Undefined where that cannot
 * be said; a wrong answer cannot be given, as the runs must spell the very text that was read. Cost: one pass over the scalar.
 */
export function scalarRuns(file: string, { span, text }: YamlScalar): readonly TextRun[] | undefined {
  const writer = new RunWriter(file);
  writeRuns(writer, file, span, text);
  const spelt = writer.text;
  // How many line ends close a block scalar is up to its header and the end of the file.
  if (!spelt.startsWith(text) || !/^\n*$/.test(spelt.slice(text.length))) return undefined;
  return writer.runs.filter(({ at }) => at < text.length);
}

/** The place in the file of a range of the text. A range behind the text is at its end. */
export function spanOfRange(runs: readonly TextRun[], start: number, end: number): Span {
  const from = placeOf(runs, start, "start");
  return { start: from, end: end > start ? Math.max(from, placeOf(runs, end - 1, "end")) : from };
}

function placeOf(runs: readonly TextRun[], offset: number, side: "start" | "end"): number {
  const run = runs.find(({ at, length }) => offset < at + length);
  if (run === undefined) {
    const last = runs.at(-1);
    return last === undefined ? 0 : last.source + last.sourceLength;
  }
  if (run.length !== run.sourceLength) return side === "start" ? run.source : run.source + run.sourceLength;
  return run.source + Math.max(0, offset - run.at) + (side === "start" ? 0 : 1);
}

class RunWriter {
  readonly #file: string;
  readonly runs: TextRun[] = [];
  text = "";

  constructor(file: string) {
    this.#file = file;
  }

  /** Text that stands in the file as it is. */
  copy(start: number, end: number): void {
    if (end > start) this.put(this.#file.slice(start, end), start, end);
  }

  /** Text that another run of the file stands for. */
  put(text: string, start: number, end: number): void {
    const run: TextRun = { at: this.text.length, length: text.length, source: start, sourceLength: end - start };
    const joins = !text.includes("\n") && this.#file.slice(start, end).includes("\n");
    this.runs.push(joins ? { ...run, joins } : run);
    this.text += text;
  }
}

function writeRuns(writer: RunWriter, file: string, { start, end }: Span, read: string): void {
  const first = file.charAt(start);
  if (first === "|" || first === ">") writeBlock(writer, file, { start, end }, read, first === ">");
  else if (first === '"') writeFlow(writer, file, start + 1, end - 1, doubleQuoted);
  else if (first === "'") writeFlow(writer, file, start + 1, end - 1, singleQuoted);
  else writeFlow(writer, file, start, end, plain);
}

/** What stands for something else at a place: its meaning, and where it ends. */
type Replacement = (file: string, at: number) => { readonly text: string; readonly end: number } | undefined;

const plain: Replacement = () => undefined;

const singleQuoted: Replacement = (file, at) => (file.startsWith("''", at) ? { text: "'", end: at + 2 } : undefined);

/** Escapes of one letter (YAML 1.2.2 §5.7). */
const letters: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "/": "/",
  "\\": "\\",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
};
const digits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

const doubleQuoted: Replacement = (file, at) => {
  if (file.charAt(at) !== "\\") return undefined;
  const escapedEnd = lineEnd(file, at + 1);
  if (escapedEnd !== "") return { text: "", end: behindBlanks(file, at + 1 + escapedEnd.length) };
  const letter = file.charAt(at + 1);
  const count = digits[letter];
  if (count === undefined) return { text: letters[letter] ?? "", end: at + 2 };
  const code = Number.parseInt(file.slice(at + 2, at + 2 + count), 16);
  return { text: code <= 0x10ffff ? String.fromCodePoint(code) : "", end: at + 2 + count };
};

/** The line end at a place, an empty text when there is none. */
function lineEnd(file: string, at: number): string {
  if (file.charAt(at) === "\n") return "\n";
  return file.startsWith("\r\n", at) ? "\r\n" : "";
}

function isBlank(unit: string): boolean {
  return unit === " " || unit === "\t";
}

/** Plain and quoted scalars (YAML 1.2.2 §6.5): blanks around a line end go; one line end is a blank, more are one less. */
function writeFlow(writer: RunWriter, file: string, start: number, end: number, replaced: Replacement): void {
  let copied = start;
  let at = start;
  while (at < end) {
    if (lineEnd(file, at) !== "") {
      writer.copy(copied, beforeBlanks(file, copied, at));
      const fold = readFold(file, at, end);
      writer.put(fold.ends === 1 ? " " : "\n".repeat(fold.ends - 1), at, fold.end);
      at = fold.end;
      copied = at;
      continue;
    }
    const replacement = replaced(file, at);
    if (replacement === undefined) at++;
    else {
      writer.copy(copied, at);
      writer.put(replacement.text, at, replacement.end);
      at = replacement.end;
      copied = at;
    }
  }
  writer.copy(copied, end);
}

function beforeBlanks(file: string, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(file.charAt(at - 1))) at--;
  return at;
}

function behindBlanks(file: string, start: number): number {
  let at = start;
  while (isBlank(file.charAt(at))) at++;
  return at;
}

/** Line ends from here on with the blanks between and behind them. */
function readFold(file: string, start: number, limit: number): { readonly ends: number; readonly end: number } {
  let ends = 0;
  let at = start;
  for (;;) {
    const length = lineEnd(file, at).length;
    if (length > 0) {
      ends++;
      at += length;
    } else if (at < limit && isBlank(file.charAt(at))) at++;
    else return { ends, end: at };
  }
}

interface Line {
  readonly start: number;
  /** Before its line end. */
  readonly end: number;
  readonly next: number;
}

function* linesOf(file: string, start: number, limit: number): Generator<Line> {
  for (let at = start; at < limit; ) {
    const feed = file.indexOf("\n", at);
    const next = feed === -1 ? file.length : feed + 1;
    const end = feed === -1 ? next : feed > at && file.charAt(feed - 1) === "\r" ? feed - 1 : feed;
    yield { start: at, end, next };
    at = next;
  }
}

/** Literal and folded scalars (YAML 1.2.2 §8.1): the indentation goes; of a folded one, line ends between plain lines too. */
function writeBlock(writer: RunWriter, file: string, { start, end }: Span, read: string, folded: boolean): void {
  const [, ...lines] = linesOf(file, start, end);
  const indent = indentOf(file, read, lines);
  // Line ends that are still to be written: how many, and where the first begins.
  let ends = 0;
  let endsAt = lines[0]?.start ?? end;
  let before: "nothing" | "plain" | "spaced" = "nothing";
  for (const line of lines) {
    const content = Math.min(line.start + indent, line.end);
    const empty = content === line.end;
    if (!empty) {
      const kind = isBlank(file.charAt(content)) ? "spaced" : "plain";
      const folds = folded && before === "plain" && kind === "plain";
      if (ends > 0) writer.put(folds ? (ends === 1 ? " " : "\n".repeat(ends - 1)) : "\n".repeat(ends), endsAt, content);
      writer.copy(content, line.end);
      before = kind;
      ends = 0;
      endsAt = line.end;
    }
    ends++;
  }
  if (ends > 0) writer.put("\n".repeat(ends), endsAt, Math.max(endsAt, end));
}

/**
 * The indentation that a header names counts from a parent that is not known here. The first line that is not blank tells it: by the
 * spaces that it has in the file and no more in the text.
 */
function indentOf(file: string, text: string, lines: readonly Line[]): number {
  const first = lines.find((line) => file.slice(line.start, line.end).trim() !== "");
  const read = text.split("\n").find((line) => line.trim() !== "");
  if (first === undefined || read === undefined) return Number.MAX_SAFE_INTEGER;
  return Math.max(0, leadingSpaces(file.slice(first.start, first.end)) - leadingSpaces(read));
}

function leadingSpaces(line: string): number {
  let count = 0;
  while (line.charAt(count) === " ") count++;
  return count;
}
