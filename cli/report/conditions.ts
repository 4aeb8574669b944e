import type { ExplainedCondition } from "#authz/engine/decision";

/** Parts of expressions are cut to so many characters; the whole stands in the policy. */
const textLimit = 100;

/** A condition as it came out, then each of its parts on a line of its own, the deeper the further right. */
export function conditionLines({
  text,
  origin,
  result,
  fault,
  attribute,
  trace,
}: ExplainedCondition): readonly string[] {
  const why = fault === undefined ? "" : ` (${fault}${attribute === undefined ? "" : `: ${attribute}`})`;
  const head = `cel \`${oneLine(text)}\` (${origin.file}:${origin.line}): ${result}${why}`;
  // The whole expression was said already.
  const parts = trace.filter(({ start, end }) => text.slice(start, end).trim() !== text.trim());
  return [
    head,
    ...parts.map(({ start, end, depth, shown }) => {
      return `${"  ".repeat(Math.max(1, depth))}${oneLine(text.slice(start, end))} = ${shown}`;
    }),
  ];
}

function oneLine(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length <= textLimit ? line : `${line.slice(0, textLimit)}…`;
}
