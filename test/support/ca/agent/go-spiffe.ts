import { execFile, spawn } from "node:child_process";
import { access, cp, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { endsWithTest } from "#test/support/service/ends-with-test";

const run = promisify(execFile);
const source = fileURLToPath(new URL("../go-spiffe/", import.meta.url));
const cache = fileURLToPath(new URL("../../../../.cache/go-spiffe/", import.meta.url));
/** Of go-spiffe, as its `go.mod` has it: what was built of another one is not used. */
const binary = join(cache, "go-spiffe-2.9.0");

/** Builds the program over go-spiffe with Go from the module proxy, once, into the ignored folder `.cache/`. Rejects where there is no Go, or it cannot be built. */
export async function buildGoSpiffe(): Promise<void> {
  const isThere = await access(binary).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const folder = join(cache, `building.${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    await cp(source, folder, { recursive: true });
    const env = { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false" };
    await run("go", ["build", "-o", "program", "."], { cwd: folder, env, maxBuffer: 1 << 24 });
    await rename(join(folder, "program"), binary);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The program, with the Workload API at a socket. It ends with the test. */
export function runGoSpiffe(t: TestContext, socket: string, ...args: readonly string[]) {
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` };
  const child = spawn(binary, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  endsWithTest(t, child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    /** The next line that it printed; undefined: it ended. */
    async line(): Promise<string | undefined> {
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
  };
}
