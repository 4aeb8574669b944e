import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IdentityShape } from "#cli/agent/status-shape";
import { cli, main } from "#test/support/cli/run-cli";
import { until as lookUntil } from "#test/support/until";

/** `garita agent` as a process of its own. */
export interface AgentProcess {
  /** Where its join token lies. */
  readonly tokenFile: string;
  identity(): Promise<IdentityShape>;
  /** Resolves once the identity is as wanted. */
  until(what: string, wanted: (identity: IdentityShape) => boolean): Promise<IdentityShape>;
  /** Has the certificate renewed; rejects where it was not. */
  renew(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

export interface AgentOptions {
  /** For its files and its sockets: `NAME.sock` is the identity's. */
  readonly folder: string;
  readonly name: string;
  readonly spiffeId: string;
  /** Of the authority, whose server certificate names `localhost`. */
  readonly port: number;
}

/** Starts an agent with one identity, whose join token lies in `NAME.token`. */
export async function runAgent({ folder, name, spiffeId, port }: AgentOptions): Promise<AgentProcess> {
  const at = (file: string) => join(folder, `${name}${file}`);
  const [config, statusSocket, tokenFile] = [at(".yaml"), at("-status.sock"), at(".token")];
  const identity = { spiffeId, socket: at(".sock"), joinTokenFile: tokenFile };
  const authority = { address: `127.0.0.1:${port}`, serverName: "localhost" };
  await writeFile(
    config,
    JSON.stringify({ authority, stateFolder: at("-state"), statusSocket, identities: [identity] }),
  );
  const child = spawn(process.execPath, [main, "agent", "--config", config, "--drain", "1"]);
  const printed: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output.on("data", (chunk: Buffer) => printed.push(chunk));
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const log = () => Buffer.concat(printed).toString("utf8");
  const asked = async (verb: "status" | "renew") => {
    const { status, out, err } = await cli(["agent", verb, "--socket", statusSocket, "--format", "json"]);
    return { status, err, identity: out === "" ? undefined : (JSON.parse(out).identities[0] as IdentityShape) };
  };
  const until: AgentProcess["until"] = async (what, wanted) => {
    let found: IdentityShape | undefined;
    const look = async () => {
      if (!isAlive(child)) throw new Error(`${what}: the agent ended`);
      found = (await asked("status")).identity;
      return found !== undefined && wanted(found);
    };
    await lookUntil(look, what).catch((cause: unknown) => {
      throw new Error(`${what}: it did not come about\n${log()}`, { cause });
    });
    return found!;
  };
  return {
    tokenFile,
    identity: async () => (await asked("status")).identity!,
    until,
    async renew() {
      const { status, err } = await asked("renew");
      if (status !== 0) throw new Error(`the agent ${name} was not renewed: ${status} ${err}\n${log()}`);
    },
    log,
    async stop() {
      process.off("exit", killWithUs);
      if (!isAlive(child)) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
