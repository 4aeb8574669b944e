import { editDistance } from "#policy-compiler/document/suggest";

/** Words that are further apart are not taken for each other. */
const furthest = 3;

/** The known word that a mistyped one most likely means: at most a third of its letters off, never more than three. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(furthest, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), furthest);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
