import { type FSWatcher, watch as watchEntry } from "node:fs";
import { basename, dirname } from "node:path";

export interface WatchOptions {
  /** Files or folders. They need not be there yet. */
  readonly paths: readonly string[];
  /** Called back when nothing more has happened for so long. */
  readonly quietMillis: number;
  /** How often `fingerprint` is compared, for changes that the system does not report. */
  readonly pollMillis: number;
  /** A text that differs when there is something new. A failure counts as one more text. */
  readonly fingerprint: () => Promise<string>;
  readonly onChange: () => void;
}

/** The first look at the entries takes so long at most. */
const readyMillis = 10_000;

/**
 * Watches paths and calls back when something may have changed, also when a path is exchanged as a whole: by renaming another one
 * over it, by pointing a link elsewhere, or by the `..data` link of mounted configuration. Resolves when it watches; the result ends it. Keeps
 * no process alive by its polling.
 */
export async function createWatch(options: WatchOptions): Promise<() => Promise<void>> {
  const { watch } = await import("chokidar");
  let ended = false;
  let quiet: NodeJS.Timeout | undefined;
  const hint = () => {
    if (ended) return;
    clearTimeout(quiet);
    quiet = setTimeout(options.onChange, options.quietMillis);
  };
  const watchInside = async () => {
    const watcher = watch([...options.paths], { ignoreInitial: true, ignored: (path) => path.endsWith("~") });
    watcher.on("all", hint);
    // What cannot be watched is polled.
    watcher.on("error", () => undefined);
    await new Promise<void>((resolve) => {
      // What goes away while it is looked at first may never be told to be ready; polls find what it misses meanwhile.
      const enough = setTimeout(resolve, readyMillis);
      watcher.once("ready", () => {
        clearTimeout(enough);
        resolve();
      });
    });
    return watcher;
  };
  // ORDER: before the first look at the entries, so that a change while they are looked at is one.
  let known = await fingerprintOf(options);
  let inside = watchInside();
  let outside: readonly FSWatcher[] = [];
  const exchanged = () => {
    if (ended) return;
    hint();
    // Those inside watch what the path led to before.
    const old = inside;
    inside = old.then(async (watcher) => {
      await watcher.close();
      return watchInside();
    });
    closeAll(outside);
    outside = watchExchanges(options.paths, exchanged);
    // What has changed before the new ones watched was not seen.
    void inside.then(hint);
  };
  outside = watchExchanges(options.paths, exchanged);
  await inside;

  const poll = setInterval(async () => {
    const seen = await fingerprintOf(options);
    if (seen !== known) hint();
    known = seen;
  }, options.pollMillis);
  poll.unref();
  return async () => {
    ended = true;
    clearTimeout(quiet);
    clearInterval(poll);
    closeAll(outside);
    await (await inside).close();
  };
}

/** Watches the entry of each path in its folder, and links named `..` something in the path itself. */
function watchExchanges(paths: readonly string[], onExchange: () => void): FSWatcher[] {
  return paths.flatMap((path) => [
    ...watchNames(dirname(path), (name) => name === basename(path), onExchange),
    ...watchNames(path, (name) => name.startsWith(".."), onExchange),
  ]);
}

function watchNames(folder: string, counts: (name: string) => boolean, onEvent: () => void): FSWatcher[] {
  try {
    const watcher = watchEntry(folder, (event, name) => {
      // A write to the entry is the other watchers' business.
      if (event === "rename" && name !== null && counts(name)) onEvent();
    });
    watcher.on("error", () => watcher.close());
    return [watcher];
  } catch {
    // Not there, not a folder, or not to be watched: then it is polled.
    return [];
  }
}

function closeAll(watchers: readonly FSWatcher[]): void {
  for (const watcher of watchers) watcher.close();
}

async function fingerprintOf(options: WatchOptions): Promise<string> {
  try {
    return await options.fingerprint();
  } catch (fault) {
    return `fault: ${String(fault)}`;
  }
}
