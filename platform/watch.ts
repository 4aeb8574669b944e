export interface WatchOptions {
  /** Files or folders. */
  readonly paths: readonly string[];
  /** Called back when nothing more has happened for so long. */
  readonly quietMillis: number;
  /** How often `fingerprint` is compared, for changes that the system does not report. */
  readonly pollMillis: number;
  /** A text that differs when there is something new. A failure counts as one more text. */
  readonly fingerprint: () => Promise<string>;
  readonly onChange: () => void;
}

/**
 * Watches paths and calls back when something may have changed, also through an atomic exchange. Resolves when it watches; the
 * result ends it. Keeps no process alive.
 */
export async function createWatch(options: WatchOptions): Promise<() => Promise<void>> {
  const { watch } = await import("chokidar");
  let quiet: NodeJS.Timeout | undefined;
  const hint = () => {
    clearTimeout(quiet);
    quiet = setTimeout(options.onChange, options.quietMillis);
  };
  const watcher = watch([...options.paths], { ignoreInitial: true, ignored: (path) => path.endsWith("~") });
  watcher.on("all", hint);
  // What cannot be watched is polled.
  watcher.on("error", () => undefined);
  await new Promise<void>((resolve) => watcher.once("ready", resolve));

  let known = await fingerprintOf(options);
  const poll = setInterval(async () => {
    const seen = await fingerprintOf(options);
    if (seen !== known) hint();
    known = seen;
  }, options.pollMillis);
  poll.unref();
  return async () => {
    clearTimeout(quiet);
    clearInterval(poll);
    await watcher.close();
  };
}

async function fingerprintOf(options: WatchOptions): Promise<string> {
  try {
    return await options.fingerprint();
  } catch (fault) {
    return `fault: ${String(fault)}`;
  }
}
