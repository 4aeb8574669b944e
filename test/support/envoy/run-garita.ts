import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { StatusPage } from "#authz/transport/admin/contract";
import type { Endpoint } from "#envoy-configs/socket-address";
import { parseAddress } from "#platform/address";

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
const START_MILLIS = 60_000;

/** A folder for one service: its configuration, its policies, its sockets. */
export interface GaritaFolder {
  readonly path: string;
  /** Puts policy files in place, each by one rename, as a deployment does. Names are relative to the policy folder. */
  writePolicies(files: { readonly [name: string]: string }): Promise<void>;
  remove(): Promise<void>;
}

export async function garitaFolder(policies: { readonly [name: string]: string }): Promise<GaritaFolder> {
  const path = await mkdtemp(join(tmpdir(), "garita-e2e-"));
  const folder: GaritaFolder = {
    path,
    async writePolicies(files) {
      for (const [name, text] of Object.entries(files)) {
        const file = join(path, "policies", name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(join(path, "incoming"), text);
        await rename(join(path, "incoming"), file);
      }
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
  await folder.writePolicies(policies);
  return folder;
}

/** A line of the log about a denied request. */
export interface DenialLine {
  readonly id: string;
  readonly reason: string;
  readonly status: number;
  readonly listener: string;
  readonly workload?: string;
  readonly principal?: string;
  readonly method?: string;
  readonly path?: string;
  readonly rule?: string;
  readonly origin?: string;
  readonly digest?: string;
  readonly detail?: string;
  readonly conditionFaults?: readonly string[];
}

export interface RunningGarita {
  readonly pid: number;
  /** Where the admin API listens on TCP; 0 if it does not. */
  readonly adminPort: number;
  /** Where a listener listens. */
  endpoint(listener: string): Endpoint;
  status(): Promise<StatusPage>;
  /** Digest of the rule set in force. */
  digest(): Promise<string>;
  /** Resolves with the status page once it is as wanted. */
  until(wanted: (page: StatusPage) => boolean): Promise<StatusPage>;
  /** Everything that was printed so far. */
  log(): string;
  /** The log's line about the newest denial that is as wanted, awaited if it is not there yet. */
  denial(wanted: (line: DenialLine) => boolean): Promise<DenialLine>;
  /** The first match in what was printed, awaited if it is not there yet. */
  printed(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** How the process ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Ends the process that was started here, at once. */
  stop(): Promise<void>;
}

export interface GaritaOptions {
  /** Items of `listeners` as they stand in `garita.yaml`. */
  readonly listeners: readonly { readonly name: string; readonly [key: string]: unknown }[];
  /** Port of the admin API on 127.0.0.1, which Envoy's HTTP health checks ask; 0 for a free one. Absent: the socket alone. */
  readonly adminPort?: number;
  /** `policies` as it stands in `garita.yaml`; absent: the folder's. */
  readonly policies?: Readonly<Record<string, unknown>>;
  /** `ca` as it stands in `garita.yaml`. */
  readonly ca?: Readonly<Record<string, unknown>>;
  /** `jwt` as it stands in `garita.yaml`. */
  readonly jwt?: Readonly<Record<string, unknown>>;
}

/**
 * Starts `garita serve` as a process of its own over a folder, with the admin socket `admin.sock` in it, and waits until it is
 * ready. Give TCP listeners port 0.
 */
export async function runGarita(folder: GaritaFolder, options: GaritaOptions): Promise<RunningGarita> {
  const config = join(folder.path, "garita.yaml");
  const socket = join(folder.path, "admin.sock");
  const { listeners, adminPort, ...more } = options;
  const admin = { socket, ...(adminPort === undefined ? {} : { address: `127.0.0.1:${adminPort}` }) };
  await writeFile(config, JSON.stringify({ listeners, policies: { directory: "policies" }, admin, ...more }));
  const child = spawn(process.execPath, [MAIN, "serve", "--config", config], {
    stdio: ["ignore", "pipe", "pipe"],
    env: ownEnvironment(),
  });
  await once(child, "spawn");
  const printed: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => printed.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => printed.push(chunk));
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const exited = new Promise<Awaited<RunningGarita["exited"]>>((resolve) => {
    child.once("exit", (code, signal) => {
      process.off("exit", killWithUs);
      resolve({ code, signal });
    });
  });
  const log = () => Buffer.concat(printed).toString("utf8");
  const status = async () => JSON.parse(await get(socket, "/v1/status")) as StatusPage;
  const until = (wanted: (page: StatusPage) => boolean) =>
    poll(child, async () => {
      const page = await status();
      return wanted(page) ? page : undefined;
    });
  try {
    const page = await until(({ rules }) => rules.lastAttemptMillis !== undefined);
    const endpoints = new Map(page.listeners.map(({ name, address }) => [name, endpointOf(address)]));
    return {
      pid: child.pid ?? 0,
      adminPort: adminPort === undefined ? 0 : await poll(child, async () => adminPortIn(log())),
      endpoint(listener) {
        const endpoint = endpoints.get(listener);
        if (endpoint === undefined) throw new Error(`no listener ${listener}`);
        return endpoint;
      },
      status,
      digest: async () => (await status()).rules.active?.digest ?? "",
      until,
      log,
      denial: (wanted) => poll(child, async () => denialsIn(log()).findLast(wanted)),
      printed: (pattern) => poll(child, async () => pattern.exec(log())?.[0]),
      signal: (signal) => child.kill(signal),
      exited,
      stop: () => end(child, exited),
    };
  } catch (error) {
    await end(child, exited);
    throw new Error(`the service did not start: ${error instanceof Error ? error.message : error}\n${log()}`);
  }
}

/** Without what would override the configuration. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GARITA_")));
}

async function poll<T>(child: ChildProcess, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + START_MILLIS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    }
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    await delay(20);
  }
  throw new Error(`what was waited for did not come in ${START_MILLIS} ms`);
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, headers: { host: "localhost", connection: "close" }, timeout: 5_000 });
    call.on("error", reject);
    call.on("timeout", () => call.destroy(new Error("no answer")));
    call.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("error", reject);
      response.on("end", () => resolve(body));
    });
    call.end();
  });
}

function endpointOf(text: string): Endpoint {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`no address: ${text}`);
  return address.kind === "unix" ? { path: address.path } : { address: address.host, port: address.port };
}

function adminPortIn(log: string): number | undefined {
  const port = /"listener":"admin","address":"127\.0\.0\.1:(\d+)"/.exec(log)?.[1];
  return port === undefined ? undefined : Number(port);
}

function denialsIn(log: string): DenialLine[] {
  const lines = log.split("\n").filter((line) => line.startsWith("{"));
  return lines.flatMap((line) => {
    const entry = JSON.parse(line) as DenialLine & { readonly msg?: string };
    return entry.msg === "denied" ? [entry] : [];
  });
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await exited;
}
