import type { Position } from "./diagnostic.ts";

/**
 * The lines of one text. A line ends at its line feed; making the table costs one pass over the text, a look-up is
 * logarithmic.
 */
export class LineTable {
  readonly #text: string;
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#text = text;
    this.#starts = starts;
  }

  /** Line and column of an offset; offsets beyond the text are at its end. */
  locate(offset: number): Position {
    const place = Math.max(0, Math.min(offset, this.#text.length));
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#starts[middle]! <= place) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: place - this.#starts[low]! + 1 };
  }

  /** The text of a line that counts from one, without its end; empty beyond the last. */
  line(number: number): string {
    const start = this.#starts[number - 1];
    if (start === undefined) return "";
    const end = (this.#starts[number] ?? this.#text.length + 1) - 1;
    const line = this.#text.slice(start, end);
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }
}

/** Line tables of the files of a folder, each made when it is first asked for. */
export class LineTables {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #tables = new Map<string, LineTable>();

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  /** Place of an offset in a file; a file without text (it could not be decoded) has only its first place. */
  locate(file: string, offset: number): Position {
    let table = this.#tables.get(file);
    if (table === undefined) {
      table = new LineTable(this.#texts.get(file) ?? "");
      this.#tables.set(file, table);
    }
    return table.locate(offset);
  }
}
