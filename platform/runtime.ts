/** The oldest major version of Node that the program runs on. */
const oldestNodeMajor = 24;

/** One line that says what to do when the runtime is too old; undefined when it is new enough. */
export function runtimeFault(nodeVersion: string): string | undefined {
  const major = Number.parseInt(nodeVersion, 10);
  if (major >= oldestNodeMajor) return undefined;
  return `garita needs Node.js ${oldestNodeMajor} or newer, and this is ${nodeVersion}: install a newer one from https://nodejs.org`;
}
