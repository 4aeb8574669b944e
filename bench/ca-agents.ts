import { type ClientHttp2Session, connect } from "node:http2";
import { certificateRequest, createCertificatePath } from "#test/support/ca/agent-calls";
import type { AuthorityServer } from "./ca-server.ts";
import { callUnary, frame } from "./grpc-call.ts";

/** Agents that hold their connection to the authority, each with its own certificate, and renew over it one certificate after the other. */
export interface ConnectedAgents {
  /** A certificate for each request. Rejects at the first that is refused. */
  renew(csrPems: readonly string[]): Promise<void>;
  close(): void;
}

/** TLS with the client certificate of each of the server's agents; the server's name is verified. */
export async function connectAgents({ port, roots, agents }: AuthorityServer): Promise<ConnectedAgents> {
  const sessions = await Promise.all(
    agents.map(
      ({ cert, key }) =>
        new Promise<ClientHttp2Session>((resolve, reject) => {
          const session = connect(`https://localhost:${port}`, { ca: roots, cert, key });
          session.once("connect", () => resolve(session));
          session.once("error", reject);
        }),
    ),
  );
  return {
    async renew(csrPems) {
      const bodies = csrPems.map((csrPem) => frame(certificateRequest(csrPem, 0)));
      let next = 0;
      const lane = async (session: ClientHttp2Session) => {
        for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
          await callUnary(session, createCertificatePath, body);
        }
      };
      await Promise.all(sessions.map(lane));
    },
    close() {
      for (const session of sessions) session.close();
    },
  };
}
