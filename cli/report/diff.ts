import type {
  ChangedText,
  ChangePlace,
  DocumentChange,
  FieldChange,
  RuleChange,
} from "#policy-compiler/compare/compare-documents";
import type { Consequence } from "#policy-compiler/compare/consequences";
import { printable } from "#policy-compiler/source/render";
import type { DefaultChange } from "../diff/default-changes.ts";
import type { PolicyState } from "../diff/read-state.ts";
import { pathFrom } from "../policies/path-from.ts";

/** Ways to print a comparison. `text` is for people, `markdown` for a merge request. */
export const diffFormats = ["text", "json", "markdown"] as const;
export type DiffFormat = (typeof diffFormats)[number];

/** Everything that a comparison says. */
export interface DiffReport {
  readonly before: PolicyState;
  readonly after: PolicyState;
  readonly changes: readonly DocumentChange[];
  readonly defaults: readonly DefaultChange[];
}

/** GitHub takes so many characters of a comment; GitLab takes 1,000,000. */
export const commentCharacters = 65_536;

/** `mostCharacters`: Markdown becomes no longer, counted in UTF-16 units; what is left out of it is told. 1,000 at least. */
export function renderDiff(report: DiffReport, format: DiffFormat, mostCharacters: number): string {
  switch (format) {
    case "text":
      return linesOf(report, printable)
        .map(({ depth, text }) => `${"  ".repeat(depth)}${text}\n`)
        .join("");
    case "markdown":
      return renderMarkdown(linesOf(report, codeSpan), mostCharacters);
    case "json":
      return renderJson(report);
  }
}

/** One line of a report; lines of depth 0 are its headings. */
interface Line {
  readonly depth: number;
  readonly text: string;
}

/** Headings as paragraphs, everything else as nested lists. The last line, which counts, stands under a cut too. */
function renderMarkdown(lines: readonly Line[], mostCharacters: number): string {
  const pieces = lines.map(({ depth, text }, i) => {
    const item = depth === 0 ? text : `${"  ".repeat(depth - 1)}- ${text}`;
    const next = lines[i + 1];
    const isApart = next !== undefined && (depth === 0 || next.depth === 0);
    return `${item}${isApart ? "\n\n" : "\n"}`;
  });
  if (pieces.reduce((sum, { length }) => sum + length, 0) <= mostCharacters) return pieces.join("");
  const counts = pieces.pop()!;
  const end = (left: number) =>
    `\n${left} of ${pieces.length} lines are left out; \`--format text\` prints all, \`--max-characters\` more.\n\n${counts}`;
  let room = mostCharacters - end(pieces.length).length;
  const firstOut = pieces.findIndex(({ length }) => {
    room -= length;
    return room < 0;
  });
  return pieces.slice(0, firstOut).join("") + end(pieces.length - firstOut);
}

/** Makes an author's text safe for the format. */
type Quote = (text: string) => string;

function linesOf(report: DiffReport, quote: Quote): readonly Line[] {
  const { before, after, changes, defaults } = report;
  const heading = `policies of ${quote(nameOf(before))}, compared with ${quote(nameOf(after))}`;
  return [
    { depth: 0, text: heading },
    ...changes.flatMap((change) => documentLines(change, report, quote)),
    ...(defaults.length === 0 ? [] : [{ depth: 0, text: "what no rule matches" }]),
    ...defaults.map((change) => ({ depth: 1, text: defaultLine(change, quote) })),
    { depth: 0, text: countsOf(changes) },
  ];
}

function nameOf({ name, commit }: PolicyState): string {
  return commit === undefined || commit.startsWith(name) || name.startsWith(commit)
    ? name
    : `${name} (${commit.slice(0, 12)})`;
}

function documentLines(change: DocumentChange, report: DiffReport, quote: Quote): readonly Line[] {
  const { kind, document, before, after, consequences, renumbered } = change;
  const place = (side: "before" | "after", at: ChangePlace) => quote(placeText(report[side], at));
  const where = after === undefined ? place("before", before!) : place("after", after);
  const from = before !== undefined && after !== undefined && before.file !== after.file;
  const moved = from ? `, moved from ${place("before", before)}` : "";
  const name =
    document.kind === "mesh" ? "mesh" : `${document.kind} ${quote(`${document.namespace}/${document.name}`)}`;
  const said = [...consequences.map((each) => consequenceText(each))];
  const numbers = renumbered.map(([old, now]) => `${old} is ${now}`).join(", ");
  return [
    { depth: 0, text: `${kind} ${name} at ${where}${moved}` },
    ...said.map((text) => ({ depth: 1, text })),
    ...change.fields.map((field) => ({ depth: 1, text: fieldText(field, report, quote) })),
    ...change.rules.flatMap((rule) => ruleLines(rule, report, quote)),
    ...(numbers === "" ? [] : [{ depth: 1, text: `rules as they were under another number: ${numbers}` }]),
  ];
}

function ruleLines(rule: RuleChange, report: DiffReport, quote: Quote): readonly Line[] {
  const { kind, before, after, text, fields, consequence } = rule;
  const side = after === undefined ? "before" : "after";
  const { ordinal, at } = (after ?? before)!;
  const was = before !== undefined && after !== undefined && before.ordinal !== after.ordinal;
  const parts = [
    `rule ${ordinal} ${kind}${was ? ` (it was rule ${before.ordinal})` : ""} at ${quote(placeText(report[side], at))}`,
    ...(consequence === undefined ? [] : [consequenceText(consequence)]),
    ...(text === undefined ? [] : [quote(excerpt(text))]),
  ];
  const lines = fields.map((field) => ({ depth: 2, text: fieldText(field, report, quote) }));
  return [{ depth: 1, text: parts.join(": ") }, ...lines];
}

const directions: Record<Consequence["direction"], string> = {
  opens: "opens: ",
  closes: "closes: ",
  none: "",
  unclear: "opens or closes: ",
};

function consequenceText({ direction, message }: Consequence): string {
  return `${directions[direction]}${message}`;
}

function fieldText({ path, kind, before, after }: FieldChange, report: DiffReport, quote: Quote): string {
  if (kind === "reordered") return `${quote(path)} has another order`;
  const [old, now] = [textsOf(before, quote), textsOf(after, quote)];
  const at = now === "" ? before[0] && placeText(report.before, before[0].at) : placeText(report.after, after[0]!.at);
  const place = at === undefined ? "" : ` (${quote(at)})`;
  if (kind === "added") return `${quote(path)} was not there, is ${now}${place}`;
  if (kind === "removed") return `${quote(path)} was ${old}, is not there${place}`;
  if (old === "") return `${quote(path)} got ${now}${place}`;
  if (now === "") return `${quote(path)} lost ${old}${place}`;
  return kind === "edited"
    ? `${quote(path)} was ${old}, is ${now}${place}`
    : `${quote(path)} lost ${old}, got ${now}${place}`;
}

function textsOf(texts: readonly ChangedText[], quote: Quote): string {
  return texts.map(({ text }) => quote(excerpt(text))).join(", ");
}

/** So much of a text is printed for people; `json` has all of it. */
const mostCharacters = 200;

function excerpt(text: string): string {
  const line = text === "" ? '""' : text.replaceAll(/\s+/g, " ");
  if (line.length <= mostCharacters) return line;
  // Not through the middle of a character.
  return `${line.slice(0, mostCharacters - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

function defaultLine({ workloads, registered, after, policies }: DefaultChange, quote: Quote): string {
  const [where, by] = [quote(workloads), policies.map(quote).join(", ")];
  if (registered) {
    return after === "deny"
      ? `closes: denied at ${where}, selected by ${by} now`
      : `opens: allowed at ${where}, selected by no ALLOW policy any more; it was by ${by}`;
  }
  return after === "deny"
    ? `closes: denied at ${where} that no ALLOW policy selected before; now: ${by}`
    : `opens: allowed at ${where} that no ALLOW policy selects any more; before: ${by}`;
}

function countsOf(changes: readonly DocumentChange[]): string {
  if (changes.length === 0) return "no difference";
  const kinds: readonly DocumentChange["kind"][] = ["added", "removed", "changed", "moved"];
  const counts = kinds
    .map((kind) => [changes.filter((change) => change.kind === kind).length, kind] as const)
    .filter(([count]) => count > 0);
  return `documents: ${counts.map(([count, kind]) => `${count} ${kind}`).join(", ")}`;
}

function placeText({ compiled }: PolicyState, { file, line }: ChangePlace): string {
  return `${pathFrom(compiled.folder, file)}:${line}`;
}

/** CommonMark §6.1: the fence is longer than any run of backticks in the text; of blanks at both ends one is taken away. */
function codeSpan(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = longest > 0 || /^ .* $/.test(text) ? " " : "";
  return `${fence}${pad}${printable(text)}${pad}${fence}`;
}

/** Files are named from the folder of their state. */
function renderJson({ before, after, changes, defaults }: DiffReport): string {
  const state = ({ name, commit, compiled }: PolicyState) => ({
    name,
    commit,
    folder: compiled.folder,
    digest: compiled.built?.digest,
  });
  const whole = JSON.stringify({ before: state(before), after: state(after), changes, defaults }, undefined, 2);
  return `${whole}\n`;
}
