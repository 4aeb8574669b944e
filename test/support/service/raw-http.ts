import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Address } from "#platform/address";

export interface RawAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** A connection that sends bytes as they are. */
export interface RawClient {
  readonly socket: Socket;
  send(text: string | Buffer): void;
  /** Everything that came until the other side ended the connection. */
  readonly ended: Promise<string>;
  /** Forgets what has come so far. */
  forget(): void;
  /** Resolves when so many answers have come, or the connection has ended. */
  answers(count: number): Promise<RawAnswer[]>;
}

export function rawClient(t: TestContext, address: Address): RawClient {
  if (address.kind !== "tcp") throw new Error("a TCP address is needed");
  const socket = connect({ host: address.host, port: address.port });
  t.after(() => socket.destroy());
  let text = "";
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const each of waiting) each();
  };
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    tell();
  });
  socket.on("error", () => undefined);
  const ended = new Promise<string>((resolve) => socket.on("close", () => resolve(text)));
  void ended.then(tell);
  return {
    socket,
    send: (bytes) => {
      socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    },
    ended,
    forget() {
      text = "";
    },
    answers: (count) =>
      new Promise((resolve) => {
        const look = () => {
          const answers = parseAnswers(text);
          if (answers.length < count && !socket.destroyed) return;
          waiting.delete(look);
          resolve(answers);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Complete answers at the beginning of a text; interim ones (1xx) are left out. */
function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) return answers;
    const [first = "", ...lines] = rest.slice(0, end).split("\r\n");
    const status = Number(first.split(" ")[1]);
    const headers = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    });
    const length = Number(headers.find(([name]) => name.toLowerCase() === "content-length")?.[1] ?? 0);
    if (rest.length < end + 4 + length) return answers;
    if (status >= 200) answers.push({ status, headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
}
