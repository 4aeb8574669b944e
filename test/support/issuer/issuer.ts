import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "#test/support/service/certificates";

/** An issuer that runs over HTTPS on this machine, with a certificate of an authority of its own. Whoever starts it stops it. */
export interface Issuer {
  /** `https://localhost:PORT`, without a trailing slash. */
  readonly issuer: string;
  readonly jwksUri: string;
  readonly port: number;
  /** PEM of the authority that signed its certificate. */
  readonly caFile: string;
  /**
   * An access token signed with the newest key. `claims` go over those of a plausible token (`iss`, `sub`, `aud`, `iat`, `exp`); one that is undefined
   * is left out.
   */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** New keys, from now on and at once; the old ones are no longer published. */
  rotate(): Promise<void>;
  /** From now on it is in another condition; it starts `well`. Tokens can be asked for only then. */
  become(condition: IssuerCondition): void;
  stop(): Promise<void>;
}

/** `down`: connections are reset. `html`: a page for people at every address, with status 200. */
export type IssuerCondition = "well" | "down" | "html";

export type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTPS server on a free port whose answers can be exchanged while it runs. */
export interface IssuerServer {
  readonly issuer: string;
  readonly port: number;
  readonly caFile: string;
  readonly ca: Buffer;
  answerWith(answerer: Answerer): void;
  become(condition: IssuerCondition): void;
  stop(): Promise<void>;
}

/** Fails if the port is in use; 0 is a free one. */
export async function startIssuerServer(wantedPort = 0): Promise<IssuerServer> {
  const folder = await mkdtemp(join(tmpdir(), "garita-issuer-"));
  const authority = createAuthority(folder, "issuer-ca");
  const { cert, key } = authority.issue("issuer", "DNS:localhost,IP:127.0.0.1");
  let answerer: Answerer = (_, response) => response.writeHead(503).end();
  let condition: IssuerCondition = "well";
  const server = createServer({ cert, key }, (request, response) => {
    if (condition === "html") response.writeHead(200, { "content-type": "text/html" }).end(pageForPeople);
    else answerer(request, response);
  });
  // The port stays ours: another test must not get it meanwhile.
  server.prependListener("connection", (socket: Socket) => {
    if (condition === "down") socket.resetAndDestroy();
  });
  server.listen(wantedPort, "127.0.0.1");
  await once(server, "listening").catch(async (fault: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw fault;
  });
  const { port } = server.address() as AddressInfo;
  return {
    issuer: `https://localhost:${port}`,
    port,
    caFile: authority.caFile,
    ca: authority.ca,
    answerWith(next) {
      answerer = next;
    },
    become(next) {
      condition = next;
      if (next === "down") server.closeAllConnections();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const pageForPeople = "<!doctype html><title>Maintenance</title><p>We will be back soon.</p>";
