/**
 * Agents that hold their connections to an authority, in a process of their own, so that the service waits for nobody but them. `FILE`: `AgentsOfServer` as JSON. Each message of the parent
 * is a number: so many requests are made first, of new keys, which is answered with `ready`, and sent at the next message, which is answered with `done` when all are answered.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { certificateRequest, createCertificatePath } from "#test/support/ca/agent-calls";
import type { AgentsOfServer } from "./ca-agents.ts";
import { freshRequests } from "./ca-requests.ts";
import { callUnary, frame } from "./grpc-call.ts";

const { port, roots, agents } = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as AgentsOfServer;
const sessions = await Promise.all(agents.map(open));
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

for (;;) {
  const [count] = await once(process, "message");
  const uri = agents[0]!.spiffeId;
  const bodies = freshRequests(Number(count), uri).map(({ csrPem }) => frame(certificateRequest(csrPem, 0)));
  process.send?.("ready");
  await once(process, "message");
  let next = 0;
  const lane = async (session: ClientHttp2Session) => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      await callUnary(session, createCertificatePath, body);
    }
  };
  await Promise.all(sessions.map(lane));
  process.send?.("done");
}

/** TLS with the agent's certificate; the server's name is verified. */
function open({ cert, key }: AgentsOfServer["agents"][number]): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://localhost:${port}`, { ca: roots, cert, key });
    session.once("connect", () => resolve(session));
    session.once("error", reject);
  });
}
