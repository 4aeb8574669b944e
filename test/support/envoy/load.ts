import { once } from "node:events";
import { Agent, get } from "node:http";

/** What became of one request. */
export interface Sample {
  readonly path: string;
  /** 0: the connection failed. */
  readonly status: number;
  readonly body: string;
  /** What `mark` said when the request was begun. */
  readonly begun: number;
  /** What `mark` said when its answer was there. */
  readonly ended: number;
}

export interface Load {
  readonly samples: readonly Sample[];
  /** Resolves when so many more requests have been begun and answered. Fails when the load ends before. */
  more(count: number): Promise<void>;
  /** Ends every worker after its request. */
  stop(): Promise<readonly Sample[]>;
}

/** No load goes on for longer, whatever a test forgets. */
const MOST_SAMPLES = 50_000;
const WORKERS = 4;

export interface LoadOptions {
  readonly port: number;
  /** Asked for in turn. */
  readonly paths: readonly string[];
  /** The state of the test, noted at the beginning and the end of each request. */
  readonly mark?: () => { readonly begun: number; readonly ended: number };
}

/** Sends requests over a few connections that are kept open, one after the other on each, until it is stopped. */
export function startLoad({ port, paths, mark }: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
  const samples: Sample[] = [];
  const waiting = new Set<{
    readonly count: number;
    readonly resolve: () => void;
    readonly reject: (e: Error) => void;
  }>();
  let stopped = false;
  let count = 0;

  const work = async (): Promise<void> => {
    while (!stopped && count < MOST_SAMPLES) {
      const path = paths[count++ % paths.length]!;
      const begun = mark?.().begun ?? 0;
      const { status, body } = await ask(agent, port, path);
      samples.push({ path, status, body, begun, ended: mark?.().ended ?? 0 });
      for (const one of [...waiting]) {
        if (samples.length < one.count) continue;
        waiting.delete(one);
        one.resolve();
      }
    }
  };
  const working = Promise.all(Array.from({ length: WORKERS }, work)).then(() => {
    agent.destroy();
    for (const { reject } of waiting) reject(new Error("the load has ended"));
  });

  return {
    samples,
    more: (extra) =>
      new Promise((resolve, reject) => {
        // What is on its way now may have been begun before.
        waiting.add({ count: samples.length + WORKERS + extra, resolve, reject });
      }),
    async stop() {
      stopped = true;
      await working;
      return samples;
    },
  };
}

async function ask(agent: Agent, port: number, path: string): Promise<{ status: number; body: string }> {
  const request = get({ host: "127.0.0.1", port, path, agent, timeout: 10_000 });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  try {
    const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    let body = "";
    response.setEncoding("utf8");
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode ?? 0, body };
  } catch (fault) {
    return { status: 0, body: String(fault) };
  }
}
