import { limits } from "#policy-compiler/conditions/limits";
import type { TextRun } from "#policy-compiler/yaml/scalar-runs";

/** A comment of CEL: `[start, end)` in UTF-16 units of the text. */
interface Comment {
  readonly start: number;
  readonly end: number;
}

/**
 * The first comment of an expression that goes on over an end of line in the file. A comment ends with its line, and YAML has joined that one with
 * the next, so that what an author reads as a condition is part of the comment.
 */
export function findJoinedComment(text: string, runs: readonly TextRun[]): Comment | undefined {
  const joins = runs.filter((run) => run.joins === true);
  // What is too long is refused for that.
  if (joins.length === 0 || text.length > limits.textLength) return undefined;
  return commentsOf(text).find(({ start, end }) => joins.some(({ at }) => at > start && at < end));
}

/** Strings, which hold no comments, and comments. As the library has it, a backslash keeps a quote in raw strings too. */
const token =
  /"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*/g;

function commentsOf(text: string): readonly Comment[] {
  return [...text.matchAll(token)]
    .filter(([found]) => found.startsWith("//"))
    .map(({ index, 0: found }) => ({ start: index, end: index + found.length }));
}
