const texts: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["t", true],
  ["T", true],
  ["TRUE", true],
  ["true", true],
  ["True", true],
  ["0", false],
  ["f", false],
  ["F", false],
  ["FALSE", false],
  ["false", false],
  ["False", false],
]);

/** A boolean as Go's `strconv.ParseBool` reads it; undefined for every other text. */
export function parseGoBoolean(text: string): boolean | undefined {
  return texts.get(text);
}
