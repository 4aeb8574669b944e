import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthorityServer, EnrolledAgent } from "./ca-server.ts";

/** What the program with the agents is told. */
export interface AgentsOfServer {
  readonly port: number;
  readonly roots: string;
  readonly agents: readonly EnrolledAgent[];
}

/** Agents that hold their connection to the authority, each with its own certificate, in a process of their own. */
export interface ConnectedAgents {
  /** So many certificates, each for a new key, one after the other over each connection. `around` is called when the keys are made, and what it gives when all are answered. */
  renew(count: number, around: () => () => void): Promise<void>;
  stop(): Promise<void>;
}

export async function connectAgents({ port, roots, agents }: AuthorityServer): Promise<ConnectedAgents> {
  const folder = mkdtempSync(join(tmpdir(), "garita-bench-"));
  const file = join(folder, "agents.json");
  const told: AgentsOfServer = { port, roots, agents };
  writeFileSync(file, JSON.stringify(told), { mode: 0o600 });
  const child = fork(new URL("./ca-agents-main.ts", import.meta.url), [file]);
  const answer = () =>
    new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error("the agents failed"));
      child.once("exit", fail);
      child.once("message", () => {
        child.off("exit", fail);
        resolve();
      });
    });
  await answer();
  return {
    async renew(count, around) {
      child.send(count);
      await answer();
      const after = around();
      child.send("go");
      await answer();
      after();
    },
    async stop() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
