import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const VERSION = "v0.0.0-20260827124520-eed52ebb66ad";
const CACHE = fileURLToPath(new URL("../../../.cache/istio-extauthz/", import.meta.url));
const BUILT = join(CACHE, VERSION);

/**
 * The ext_authz server of Istio's samples, gRPC and HTTP: `$ISTIO_EXTAUTHZ_BIN`, else built with Go from the module proxy, once, into the ignored
 * folder `.cache/`. Undefined: neither is there.
 */
export async function findIstioSample(): Promise<string | undefined> {
  const given = process.env["ISTIO_EXTAUTHZ_BIN"];
  if (given !== undefined && given !== "") return given;
  if (await exists(BUILT)) return BUILT;
  const hasGo = await run("go", ["version"]).then(
    () => true,
    () => false,
  );
  if (!hasGo) return undefined;
  await build();
  return BUILT;
}

async function build(): Promise<void> {
  const folder = join(CACHE, `building.${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(join(folder, "go.mod"), `module sample\n\ngo 1.25\n\nrequire istio.io/istio ${VERSION}\n`);
    const env = { ...process.env, GOFLAGS: "-mod=mod" };
    const sample = "istio.io/istio/samples/extauthz/cmd/extauthz";
    await run("go", ["build", "-o", "extauthz", sample], { cwd: folder, env, maxBuffer: 1 << 24 });
    await rename(join(folder, "extauthz"), BUILT);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

export interface IstioSample {
  readonly httpPort: number;
  readonly grpcPort: number;
  stop(): Promise<void>;
}

/** Starts it on free ports, which it tells in its log. */
export async function startIstioSample(binary: string): Promise<IstioSample> {
  const child = spawn(binary, ["-http", "0", "-grpc", "0"], { stdio: ["ignore", "ignore", "pipe"] });
  await once(child, "spawn");
  const ports = await portsOf(child);
  return {
    ...ports,
    async stop() {
      const closed = once(child, "exit");
      child.kill("SIGKILL");
      await closed;
    },
  };
}

async function portsOf(child: ChildProcess): Promise<Pick<IstioSample, "httpPort" | "grpcPort">> {
  let printed = "";
  for await (const chunk of child.stderr!.iterator({ destroyOnReturn: false })) {
    printed += chunk;
    const [http, grpc] = ["HTTP", "gRPC"].map((what) => new RegExp(`${what} server at \\S*:(\\d+)`).exec(printed)?.[1]);
    if (http !== undefined && grpc !== undefined) {
      // Whatever else it says is let go.
      child.stderr!.resume();
      return { httpPort: Number(http), grpcPort: Number(grpc) };
    }
  }
  throw new Error(`Istio's sample did not start: ${printed}`);
}
