import type { FetchDocument } from "#identity/key-sources/contract";

type Fetched = Awaited<ReturnType<FetchDocument>>;

/** Documents by URI, and what was asked for. A function is asked at every fetch. */
export interface FakeIssuers {
  readonly fetchDocument: FetchDocument;
  /** Every fetch so far, in order. */
  readonly asked: { readonly uri: string; readonly timeoutMillis: number }[];
  /** The most fetches that ran at one time: of everything, and of one URI. */
  mostParallel(): number;
  mostParallelOf(uri: string): number;
  put(uri: string, answer: Fetched | (() => Fetched | Promise<Fetched>)): void;
}

export const down: Fetched = { ok: false, fault: { code: "fetch/connect", message: "refused" } };

export function createFakeIssuers(): FakeIssuers {
  const answers = new Map<string, Fetched | (() => Fetched | Promise<Fetched>)>();
  const asked: { uri: string; timeoutMillis: number }[] = [];
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  let mostOfAll = 0;
  const count = (uri: string, by: number) => {
    running.set(uri, (running.get(uri) ?? 0) + by);
    most.set(uri, Math.max(most.get(uri) ?? 0, running.get(uri) ?? 0));
    mostOfAll = Math.max(
      mostOfAll,
      [...running.values()].reduce((sum, each) => sum + each, 0),
    );
  };
  return {
    async fetchDocument(uri, { timeoutMillis, signal }) {
      asked.push({ uri, timeoutMillis });
      count(uri, 1);
      try {
        const answer = answers.get(uri) ?? down;
        if (typeof answer !== "function") return answer;
        const ended = new Promise<Fetched>((resolve) => {
          const stopped: Fetched = { ok: false, fault: { code: "fetch/stopped", message: "stopped" } };
          if (signal.aborted) resolve(stopped);
          signal.addEventListener("abort", () => resolve(stopped));
        });
        return await Promise.race([answer(), ended]);
      } finally {
        count(uri, -1);
      }
    },
    asked,
    mostParallel: () => mostOfAll,
    mostParallelOf: (uri) => most.get(uri) ?? 0,
    put: (uri, answer) => answers.set(uri, answer),
  };
}

/** A document with keys of these ids; `k` tells two keys of one id apart. */
export function keysOf(...kids: readonly string[]): Fetched {
  return { ok: true, text: documentOf(...kids) };
}

export function documentOf(...kids: readonly string[]): string {
  return JSON.stringify({ keys: kids.map((kid) => ({ kty: "oct", kid, k: Buffer.from(kid).toString("base64url") })) });
}
