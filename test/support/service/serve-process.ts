import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { main } from "#test/support/cli/run-cli";
import { rawClient } from "./raw-http.ts";

export interface ServedPolicies {
  /** The status of one check of a path, as the HTTP service answers it. */
  ask(path: string): Promise<number | undefined>;
  /** For `--admin`. */
  readonly admin: string;
  /** All that was logged. */
  lines(): string;
  /** The last denial in the log that names a commit, once it is there: a denial is logged after it was answered. */
  denialUnder(commit: string): Promise<{ readonly commit: string; readonly digest: string }>;
  /** As a machine that loses its power. Resolves when it is gone. */
  kill(): Promise<unknown>;
}

/** `garita serve` as a process of its own, with one HTTP listener and an admin socket, over what `policies` of its configuration says; ends with the test. */
export async function servePolicies(t: TestContext, folder: string, policies: string): Promise<ServedPolicies> {
  const file = join(folder, "garita.yaml");
  await writeFile(
    file,
    `listeners: [{ name: http, protocol: http, address: "127.0.0.1:0", workload: { namespace: shop, labels: {} } }]
policies: ${policies}
admin: { socket: admin.sock }
`,
  );
  const child = spawn(process.execPath, [main, "serve", "--config", file], { stdio: "pipe" });
  const ended = once(child, "close");
  const kill = () => {
    child.kill("SIGKILL");
    return ended;
  };
  t.after(kill);
  let text = "";
  const ready = Promise.withResolvers<number>();
  const take = (chunk: Buffer) => {
    text += chunk.toString("utf8");
    const port = /"listener":"http".*127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    if (port !== undefined && text.includes("admin.sock")) ready.resolve(Number(port));
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.on("close", () => ready.reject(new Error(`it ended: ${text}`)));
  const port = await ready.promise;
  return {
    async ask(path) {
      const client = rawClient(t, { kind: "tcp", host: "127.0.0.1", port });
      client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
      return (await client.answers(1))[0]?.status;
    },
    admin: `unix:${join(folder, "admin.sock")}`,
    lines: () => text,
    async denialUnder(commit) {
      for (;;) {
        const whole = text.split("\n").slice(0, -1);
        const line = whole.findLast((each) => each.includes('"denied"') && each.includes(`"commit":"${commit}"`));
        if (line !== undefined) return JSON.parse(line);
        await once(child.stdout, "data", { signal: t.signal });
      }
    },
    kill,
  };
}
