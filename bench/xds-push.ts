import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { makeDoorCertificates } from "#test/support/ca/door-certificates";
import { cpuTimes, median, residentBytes, spentNanos } from "./cpu.ts";

export const secretTypeUrl = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
/** Three roots of a trust domain as PEM are less. */
export const secretSizeBytes = 4_096;

/** A push of one secret to streams of which each has a connection of its own, over TLS, to a client in Go that acknowledges everything. */
export interface PushCost {
  readonly streams: number;
  /** From the change until the last stream had it: the median of the pushes, and the longest. */
  readonly lastP50Millis: number;
  readonly lastMaxMillis: number;
  /** Until half of the streams had it. */
  readonly halfP50Millis: number;
  /** Processor time of the server for each stream, the acknowledgement included. */
  readonly streamMicros: number;
  readonly residentMegabytes: number;
}

/** Client and server are processes of their own, on this machine. Needs `go` and `openssl`. */
export async function pushCost(streams: number, pushes: number): Promise<PushCost> {
  const folder = mkdtempSync(join(tmpdir(), "garita-bench-"));
  makeDoorCertificates(folder);
  const program = join(folder, "xds-client");
  execFileSync("go", ["build", "-o", program, "."], { cwd: fileURLToPath(new URL("./xds-client/", import.meta.url)) });
  const server = fork(new URL("./xds-server-main.ts", import.meta.url), [
    join(folder, "server.pem"),
    join(folder, "server.key"),
  ]);
  const [port] = (await once(server, "message")) as [number];
  const args = [`127.0.0.1:${port}`, join(folder, "root.pem"), String(streams), "ROOTCA"];
  const client = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const lines = createInterface(client.stdout)[Symbol.asyncIterator]();
    const next = async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the client ended");
      return JSON.parse(value) as { readonly lastMicros: number; readonly medianMicros: number };
    };
    await next();
    const before = cpuTimes(server.pid!);
    const measured: Awaited<ReturnType<typeof next>>[] = [];
    for (let i = 0; i < pushes; i++) {
      server.send("push");
      measured.push(await next());
      // Acknowledgements of one push are no part of the next.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const lasts = measured.map(({ lastMicros }) => lastMicros / 1000);
    return {
      streams,
      lastP50Millis: median(lasts),
      lastMaxMillis: Math.max(...lasts),
      halfP50Millis: median(measured.map(({ medianMicros }) => medianMicros / 1000)),
      streamMicros: spentNanos(before, cpuTimes(server.pid!)) / 1000 / pushes / streams,
      residentMegabytes: residentBytes(server.pid!) / 1e6,
    };
  } finally {
    const ended = Promise.all([once(client, "exit"), once(server, "exit")]);
    client.kill();
    server.disconnect();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
