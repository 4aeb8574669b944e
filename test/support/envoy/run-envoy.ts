import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isMessage, type JsonValue } from "@bufbuild/protobuf";
import { envoyJson } from "#envoy-configs/envoy-json";
import { type Bootstrap, BootstrapSchema } from "#platform/envoy-api/gen/envoy/config/bootstrap/v3/bootstrap_pb";

const START_MILLIS = 60_000;
const STOP_MILLIS = 5_000;

export interface RunningEnvoy {
  readonly pid: number;
  /** Port of the admin interface on loopback. */
  readonly adminPort: number;
  /** The port that a listener got; its configuration should say port 0. */
  port(listener: string): number;
  /** A page of the admin interface. */
  admin(path: string, method?: "GET" | "POST"): Promise<string>;
  /** What Envoy has printed so far: log, and access logs on standard output. */
  log(): Promise<string>;
  /** Ends the process that was started here and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts a real Envoy with one worker thread and waits until it says that it is ready. Give listeners and admin port 0 on
 * 127.0.0.1: the ports are read back, so that tests can run side by side.
 */
export async function runEnvoy(binary: string, config: Bootstrap | JsonValue): Promise<RunningEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), "garita-envoy-"));
  const configFile = join(folder, "envoy.json");
  const adminFile = join(folder, "admin-address");
  const logFile = join(folder, "envoy.log");
  await writeFile(configFile, JSON.stringify(isBootstrap(config) ? envoyJson(config) : config));
  const output = await open(logFile, "a");
  const options = ["--disable-hot-restart", "--concurrency", "1", "--admin-address-path", adminFile, "-l", "warning"];
  const child = spawn(binary, ["-c", configFile, ...options], { stdio: ["ignore", output.fd, output.fd] });
  await once(child, "spawn");
  await output.close();
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const log = () => readFile(logFile, "utf8");
  const stop = async () => {
    await end(child);
    process.off("exit", killWithUs);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const adminPort = await ready(child, adminFile);
    const ports = await listenerPorts(adminPort);
    return {
      pid: child.pid!,
      adminPort,
      port(listener) {
        const port = ports.get(listener);
        if (port === undefined) throw new Error(`Envoy has no listener ${listener} with a port`);
        return port;
      },
      admin: (path, method = "GET") => fetchText(adminPort, path, method),
      log,
      stop,
    };
  } catch (error) {
    const printed = await log();
    await stop();
    throw new Error(`Envoy did not start: ${error instanceof Error ? error.message : error}\n${printed}`);
  }
}

/** Checks a configuration file as `envoy --mode validate` does; undefined if it is valid, else what Envoy printed. */
export async function validateEnvoyConfig(binary: string, file: string): Promise<string | undefined> {
  const child = spawn(binary, ["--mode", "validate", "-c", file, "-l", "warning"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += chunk;
  });
  child.stderr.on("data", (chunk) => {
    printed += chunk;
  });
  const [code] = await once(child, "close");
  return code === 0 ? undefined : printed;
}

function isBootstrap(config: Bootstrap | JsonValue): config is Bootstrap {
  return isMessage(config, BootstrapSchema);
}

async function ready(child: ChildProcess, adminFile: string): Promise<number> {
  const deadline = Date.now() + START_MILLIS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    }
    const address = await readFile(adminFile, "utf8").catch(() => "");
    const port = Number(/:(\d+)\s*$/.exec(address)?.[1] ?? 0);
    if (port > 0 && (await fetchText(port, "/ready").catch(() => "")).startsWith("LIVE")) return port;
    await delay(20);
  }
  throw new Error(`it was not ready after ${START_MILLIS} ms`);
}

async function listenerPorts(adminPort: number): Promise<Map<string, number>> {
  const { listener_statuses } = JSON.parse(await fetchText(adminPort, "/listeners?format=json")) as {
    listener_statuses?: { name: string; local_address: { socket_address?: { port_value: number } } }[];
  };
  const ports = new Map<string, number>();
  for (const { name, local_address } of listener_statuses ?? []) {
    if (local_address.socket_address !== undefined) ports.set(name, local_address.socket_address.port_value);
  }
  return ports;
}

async function fetchText(port: number, path: string, method = "GET"): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return response.text();
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "exit");
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), STOP_MILLIS);
  await closed;
  clearTimeout(killer);
}
