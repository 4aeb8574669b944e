/** A stretch of a file that holds one document, with the `---` line that opens it. */
export interface DocumentStretch {
  readonly start: number;
  readonly end: number;
  /** Where the document itself begins; undefined when its first line is more than a bare `---`. */
  readonly contentStart: number | undefined;
}

/**
 * Cuts a file at its `---` lines (YAML 1.2.2 §9.1: a marker in the first column ends a document, whatever it stands in). A
 * file with `...` lines is left whole: what follows them may be directives.
 */
export function splitDocuments(text: string): readonly DocumentStretch[] {
  if (hasMarker(text, "...")) return [{ start: 0, end: text.length, contentStart: undefined }];
  const stretches: DocumentStretch[] = [];
  let start = 0;
  let contentStart: number | undefined = 0;
  for (let marker = findMarker(text, "---", 0); marker !== -1; marker = findMarker(text, "---", marker + 3)) {
    if (marker > start) stretches.push({ start, end: marker, contentStart });
    start = marker;
    contentStart = endOfBareMarker(text, marker);
  }
  stretches.push({ start, end: text.length, contentStart });
  return stretches;
}

function hasMarker(text: string, marker: string): boolean {
  return findMarker(text, marker, 0) !== -1;
}

/** Offset of the next marker that stands alone in the first column, or -1. */
function findMarker(text: string, marker: string, from: number): number {
  if (from === 0 && text.startsWith(marker) && isBlank(text, marker.length)) return 0;
  for (
    let at = text.indexOf(`\n${marker}`, Math.max(0, from - 1));
    at !== -1;
    at = text.indexOf(`\n${marker}`, at + 1)
  ) {
    if (isBlank(text, at + 1 + marker.length)) return at + 1;
  }
  return -1;
}

function isBlank(text: string, offset: number): boolean {
  return offset >= text.length || " \t\r\n".includes(text.charAt(offset));
}

function endOfBareMarker(text: string, marker: number): number | undefined {
  const feed = text.indexOf("\n", marker);
  const end = feed === -1 ? text.length : feed;
  return text.slice(marker + 3, end).trim() === "" ? Math.min(end + 1, text.length) : undefined;
}

/** The first line that begins with `---` and goes on with anything but blanks or a comment. */
export function findCrowdedMarker(text: string): { readonly start: number; readonly end: number } | undefined {
  for (let at = text.startsWith("---") ? 0 : nextLine(text, 0); at !== -1; at = nextLine(text, at)) {
    const feed = text.indexOf("\n", at);
    const end = feed === -1 ? text.length : feed;
    if (!bareMarker.test(text.slice(at, end))) return { start: at, end };
  }
  return undefined;
}

const bareMarker = /^---(?:[ \t]+#.*|[ \t]*)\r?$/;

/** Offset of the next line behind `from` that begins with `---`, or -1. */
function nextLine(text: string, from: number): number {
  const feed = text.indexOf("\n---", from);
  return feed === -1 ? -1 : feed + 1;
}
