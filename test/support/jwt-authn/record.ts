import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestCase, Setting } from "../cases/case.ts";
import { requestOf } from "../cases/placement.ts";
import { Closing } from "../envoy/closing.ts";
import { startEchoUpstream } from "../envoy/echo-upstream.ts";
import { type RunningEnvoy, runEnvoy } from "../envoy/run-envoy.ts";
import { cameThrough, observe, type Recorded } from "./observe.ts";
import { listenersFile, managerKey, oracleBootstrap, oracleListener } from "./oracle-config.ts";
import { send } from "./send.ts";

/** Requests in flight at once. */
const parallel = 8;

/** A case in its setting; cases of one setting must share the object. */
export interface PlacedCase {
  readonly case: RequestCase;
  readonly setting: Setting;
}

/**
 * Asks a real Envoy: what its own `jwt_authn` and RBAC, configured as Istio would, make of every case. One Envoy for all of them,
 * a listener for each setting; a setting whose listener it refuses gives `config-error`. Its clock is the machine's.
 * Answers stand in the order of the cases. Cost: some milliseconds a case.
 */
export async function recordCases(binary: string, cases: readonly PlacedCase[]): Promise<readonly Recorded[]> {
  const closing = new Closing();
  try {
    const ports = await startOracle(binary, [...new Set(cases.map(({ setting }) => setting))], closing);
    return await inParallel(cases, (placed) => recordCase(placed, ports));
  } finally {
    await closing.close();
  }
}

/** Results in the order of the items. At the first fault nothing more is begun, and what is under way is waited for. */
async function inParallel<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = new Array(items.length);
  const faults: unknown[] = [];
  let next = 0;
  const work = async () => {
    while (next < items.length && faults.length === 0) {
      const i = next++;
      await run(items[i]!).then(
        (result) => {
          results[i] = result;
        },
        (fault: unknown) => faults.push(fault),
      );
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  if (faults.length > 0) throw faults[0];
  return results;
}

interface OraclePorts {
  /** A text: why Envoy refused the listener. */
  of(setting: Setting): number | string;
  /** The listener without filters whose connection manager is as this setting's. */
  bare(setting: Setting): number;
}

async function startOracle(binary: string, settings: readonly Setting[], closing: Closing): Promise<OraclePorts> {
  const folder = await mkdtemp(join(tmpdir(), "garita-oracle-"));
  closing.add({ remove: () => rm(folder, { recursive: true, force: true }) });
  const upstream = closing.add(await startEchoUpstream());
  const file = join(folder, "listeners.json");
  const names = new Map(settings.map((setting, i) => [setting, `set-${i}`]));
  const managers = new Map(settings.map((setting) => [managerKey(setting), setting]));
  const bareNames = new Map([...managers.keys()].map((key, i) => [key, `bare-${i}`]));
  await writeFile(
    file,
    listenersFile([
      ...settings.map((setting) => oracleListener(names.get(setting)!, setting)),
      ...Array.from(managers, ([key, setting]) => oracleListener(bareNames.get(key)!, setting, true)),
    ]),
  );
  const envoy = closing.add(await runEnvoy(binary, oracleBootstrap(file, upstream.port)));
  const refused = await refusedListeners(envoy);
  return {
    of: (setting) => refused.get(names.get(setting)!) ?? envoy.port(names.get(setting)!),
    bare: (setting) => envoy.port(bareNames.get(managerKey(setting))!),
  };
}

async function refusedListeners(envoy: RunningEnvoy): Promise<ReadonlyMap<string, string>> {
  const dump = JSON.parse(await envoy.admin("/config_dump?resource=dynamic_listeners")) as {
    configs?: readonly { readonly name: string; readonly error_state?: { readonly details?: string } }[];
  };
  const faults = (dump.configs ?? []).filter(({ error_state }) => error_state !== undefined);
  return new Map(faults.map(({ name, error_state }) => [name, error_state?.details ?? "refused"]));
}

async function recordCase(placed: PlacedCase, ports: OraclePorts): Promise<Recorded> {
  try {
    return await ask(placed, ports);
  } catch (fault) {
    throw new Error(`${JSON.stringify(placed.case)} could not be recorded`, { cause: fault });
  }
}

async function ask({ case: line, setting }: PlacedCase, ports: OraclePorts): Promise<Recorded> {
  const port = ports.of(setting);
  if (typeof port === "string") return { expect: { decision: "config-error", details: port }, targetEdited: false };
  const request = requestOf(line);
  if (request === undefined) throw new Error(`${line.name}: tokens stand in requests`);
  const response = await send(port, request);
  const bare = cameThrough(response) ? await send(ports.bare(setting), request) : undefined;
  return observe(request.method, response, bare);
}
