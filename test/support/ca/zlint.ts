import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, cp, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const source = fileURLToPath(new URL("zlint/", import.meta.url));
const cache = fileURLToPath(new URL("../../../.cache/zlint/", import.meta.url));
/** Of zlint, as its `go.mod` has it: what was built of another one is not used. */
const binary = join(cache, "zlint-3.7.3");

/** What zlint says of one certificate. `source`: `RFC5280` and the like, or the rules of the public web. */
export interface ZlintFinding {
  readonly lint: string;
  readonly source: string;
  readonly status: string;
}

export type Zlint = (certificates: readonly Uint8Array[]) => Promise<readonly (readonly ZlintFinding[])[]>;

/** zlint, built with Go from the module proxy, once, into the ignored folder `.cache/`. Undefined: there is no Go. Rejects where it cannot be built. */
export async function findZlint(): Promise<Zlint | undefined> {
  const exists = await access(binary).then(
    () => true,
    () => false,
  );
  if (exists) return askZlint;
  const hasGo = await run("go", ["version"]).then(
    () => true,
    () => false,
  );
  if (!hasGo) return undefined;
  await build();
  return askZlint;
}

async function build(): Promise<void> {
  const folder = join(cache, `building.${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    await cp(source, folder, { recursive: true });
    const env = { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false" };
    await run("go", ["build", "-o", "zlint", "."], { cwd: folder, env, maxBuffer: 1 << 24 });
    await rename(join(folder, "zlint"), binary);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function askZlint(certificates: readonly Uint8Array[]): Promise<readonly (readonly ZlintFinding[])[]> {
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = text(child.stdout);
  for (const der of certificates)
    child.stdin.write(`${JSON.stringify({ der: Buffer.from(der).toString("base64") })}\n`);
  child.stdin.end();
  const [[code], said] = await Promise.all([once(child, "exit"), answers]);
  if (code !== 0) throw new Error(`zlint ended with ${code}`);
  return said
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as readonly ZlintFinding[]);
}
