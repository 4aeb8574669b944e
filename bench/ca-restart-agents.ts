/**
 * The agents of a mesh that restart together, all in this one process. `FILE`: `RestartedMesh` as JSON. Waits for a message of its parent, tells it what became of them, and holds their connections
 * until its standard input ends.
 */
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import type { TcpNetConnectOpts } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { messageOf } from "#platform/coded-error";
import { certificateRequest, createCertificatePath } from "#test/support/ca/agent-calls";
import { freshRequests } from "./ca-requests.ts";
import type { MeshOutcome, RestartedMesh } from "./ca-restart.ts";
import { CallFault, callUnary, frame } from "./grpc-call.ts";

const mesh = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as RestartedMesh;

/** Of pilot-agent: a first attempt, and four more after these waits, each a tenth longer or shorter. */
const agentWaitsMillis = [100, 200, 400, 800];
/** Codes at which it asks again: RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. A connection that fails is the last of them. */
const agentRetries: ReadonlySet<number> = new Set([8, 10, 13, 14]);
/** Of Envoy, which asks its agent again: a random part of this, doubled each time. */
const envoyWaitMillis = { first: 500, longest: 30_000 };
/** Of gRPC in Go, for a connection to be made. */
const connectMillis = 20_000;

const sessions: ClientHttp2Session[] = [];
const faults: Record<string, number> = {};
let attempts = 0;
const bodies = mesh.agents.map(({ spiffeId }) => frame(certificateRequest(freshRequests(1, spiffeId)[0]!.csrPem, 0)));

process.once("message", async () => {
  const begunMillis = performance.now();
  const deadlineMillis = begunMillis + mesh.patienceMillis;
  const latencies: number[] = [];
  await Promise.all(
    mesh.agents.map(async (_, i) => {
      await pause(Math.random() * mesh.spreadMillis);
      const startedMillis = performance.now();
      if (await askUntil(i, deadlineMillis)) latencies.push(performance.now() - startedMillis);
    }),
  );
  latencies.sort((a, b) => a - b);
  const part = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const outcome: MeshOutcome = {
    served: latencies.length,
    attempts,
    faults,
    seconds: (performance.now() - begunMillis) / 1000,
    p50Millis: part(0.5),
    p99Millis: part(0.99),
    clientCpuSeconds: (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
  };
  process.send?.(outcome);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
process.send?.("ready");

/** Until it has its certificate, or the deadline is over. */
async function askUntil(i: number, deadlineMillis: number): Promise<boolean> {
  for (let round = 0; performance.now() < deadlineMillis; round++) {
    for (let attempt = 0; attempt <= agentWaitsMillis.length; attempt++) {
      const status = await ask(i);
      if (status === 0) return true;
      if (!agentRetries.has(status)) break;
      const wait = agentWaitsMillis[attempt];
      if (wait !== undefined) await pause(wait * (0.9 + Math.random() * 0.2));
    }
    await pause(Math.random() * Math.min(envoyWaitMillis.longest, envoyWaitMillis.first * 2 ** round));
  }
  return false;
}

/** One attempt over a new connection, which stays open if it succeeds. Answers the status of gRPC. */
async function ask(i: number): Promise<number> {
  attempts++;
  let session: ClientHttp2Session | undefined;
  try {
    const socket = await connect(i);
    session = connectHttp2("https://localhost", { createConnection: () => socket });
    // Its call fails with it.
    session.on("error", () => undefined);
    await callUnary(session, createCertificatePath, bodies[i]!);
    sessions.push(session);
    return 0;
  } catch (fault) {
    session?.destroy();
    const status = fault instanceof CallFault && fault.status !== undefined ? fault.status : 14;
    const name =
      fault instanceof CallFault
        ? `status ${fault.status}`
        : `${Reflect.get(Object(fault), "code")} ${messageOf(fault)}`;
    faults[name] = (faults[name] ?? 0) + 1;
    return status;
  }
}

/** TLS with the agent's certificate, from the address of its machine. */
function connect(i: number): Promise<TLSSocket> {
  const { cert, key } = mesh.agents[i]!;
  const machine = Math.floor(i / mesh.agentsOfMachine);
  return new Promise((resolve, reject) => {
    const options: ConnectionOptions & TcpNetConnectOpts = {
      host: "127.0.0.1",
      port: mesh.port,
      localAddress: `127.1.${machine >> 8}.${machine & 255}`,
      servername: "localhost",
      ALPNProtocols: ["h2"],
      ca: mesh.roots,
      cert,
      key,
    };
    const socket = connectTls(options);
    const timer = setTimeout(() => socket.destroy(new Error("no connection in time")), connectMillis);
    socket.once("error", reject);
    socket.once("close", () => clearTimeout(timer));
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
