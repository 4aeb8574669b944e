import type { FetchDocument } from "./contract.ts";

type Fetched = Awaited<ReturnType<FetchDocument>>;

/** More documents are not fetched at the same time; the others wait their turn. */
const maxParallel = 32;

/** Fetches documents, each at most once at a time however many ask for it. */
export interface SharedFetch {
  /** Joins a fetch of this URI that is under way, with the timeout of whoever came first. */
  fetch(uri: string, timeoutMillis: number): Promise<Fetched>;
  /** Cuts off what is under way; what is asked for later fails at once. */
  stop(): void;
}

/** Fetches of which there is one for each URI at a time, and a bounded number in all. */
export function createSharedFetch(fetchDocument: FetchDocument): SharedFetch {
  const flights = new Map<string, Promise<Fetched>>();
  const waiting: (() => void)[] = [];
  const end = new AbortController();
  let running = 0;
  const run = async (uri: string, timeoutMillis: number): Promise<Fetched> => {
    if (running === maxParallel) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await fetchDocument(uri, { timeoutMillis, signal: end.signal });
    } finally {
      flights.delete(uri);
      const next = waiting.shift();
      // Whoever waits takes the place over.
      if (next === undefined) running--;
      else next();
    }
  };
  return {
    fetch(uri, timeoutMillis) {
      const known = flights.get(uri);
      if (known !== undefined) return known;
      // ORDER: the flight is known before it begins, so that its end is what forgets it.
      const flight = Promise.resolve().then(() => run(uri, timeoutMillis));
      flights.set(uri, flight);
      return flight;
    },
    stop: () => end.abort(),
  };
}
