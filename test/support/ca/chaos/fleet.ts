import { hash, type KeyObject, X509Certificate } from "node:crypto";
import { credentials } from "@grpc/grpc-js";
import { parseJoinToken } from "#ca/callers/join-token-text";
import type { CreatedTokenShape, IssuedShape } from "#ca/transport/http/shapes";
import { type CaClient, clientOf } from "#cli/ca/client";
import { healthPath } from "#platform/grpc/health";
import { AgentConnection, certChainOf, certificateRequest } from "#test/support/ca/agent-calls";
import { newCsr } from "#test/support/ca/scene";
import { idOf, type Mesh } from "./mesh.ts";
import type { Served } from "./serve-program.ts";

/** A certificate that somebody has, whole. */
export interface Held {
  readonly serial: string;
  readonly spiffeId: string;
  /** SHA-256 of its DER, hex. */
  readonly fingerprint: string;
  readonly chain: readonly string[];
  readonly privateKey: KeyObject;
  /** SHA-256 of the secret of the join token that it was given for, hex. */
  readonly tokenHash: string | undefined;
}

export interface HeldToken {
  readonly text: string;
  readonly hash: string;
  readonly spiffeId: string;
}

export type CallerKind = "join-token" | "renewal" | "operator";

/** The machines outside, which forget nothing that they were given. */
export class Fleet {
  readonly held: Held[] = [];
  readonly tokens: HeldToken[] = [];
  readonly #mesh: Mesh;
  #served: Served;
  /** PEM of the roots: carried to every machine once, by hand. */
  #roots = "";

  constructor(mesh: Mesh, served: Served) {
    this.#mesh = mesh;
    this.#served = served;
  }

  /** The service was started again: its doors are elsewhere. */
  follow(served: Served): void {
    this.#served = served;
  }

  /** The operator's socket. */
  get admin(): CaClient {
    return clientOf({ name: "the socket", secure: false, where: { socketPath: this.#mesh.socket } });
  }

  /** What gRPC's health check says: could a certificate be issued now? */
  async serving(): Promise<boolean> {
    const connection = new AgentConnection(
      this.#served.grpcPort,
      credentials.createSsl(Buffer.from(await this.#trusted())),
    );
    try {
      return (await connection.call(new Uint8Array(), [], healthPath))[1] === 1;
    } finally {
      connection.close();
    }
  }

  async newToken(name: string): Promise<HeldToken> {
    const spiffeId = idOf(name);
    const { token } = (await this.admin.post("/v1/ca/tokens", { spiffeId })) as CreatedTokenShape;
    const held = { text: token, hash: parseJoinToken(token)!.hash, spiffeId };
    this.tokens.push(held);
    return held;
  }

  /** Istio's door, with a join token. */
  async join(token: HeldToken): Promise<Held> {
    const { privateKey, csrPem } = newCsr();
    const channel = credentials.createSsl(Buffer.from(await this.#trusted()));
    const chain = await this.#callAgent(channel, csrPem, [["authorization", `Bearer ${token.text}`]]);
    return this.#keep(chain, privateKey, token.hash);
  }

  /** Istio's door, with the certificate that is held, for a new key. */
  async renew(own: Held): Promise<Held> {
    const { privateKey, csrPem } = newCsr();
    const channel = credentials.createSsl(
      Buffer.from(await this.#trusted()),
      Buffer.from(own.privateKey.export({ type: "pkcs8", format: "pem" })),
      Buffer.from(own.chain.slice(0, -1).join("")),
    );
    return this.#keep(await this.#callAgent(channel, csrPem, []), privateKey, undefined);
  }

  /** The socket: an operator asks for somebody. */
  async operate(name: string, ttlSeconds?: number): Promise<Held> {
    const { privateKey, csrPem } = newCsr();
    const question = { csr: csrPem, spiffeId: idOf(name), ...(ttlSeconds === undefined ? {} : { ttlSeconds }) };
    const issued = (await this.admin.post("/v1/certificates", question)) as IssuedShape;
    return this.#keep(issued.chain, privateKey, undefined);
  }

  async #callAgent(
    channel: ReturnType<typeof credentials.createSsl>,
    csrPem: string,
    fields: readonly (readonly [string, string])[],
  ): Promise<readonly string[]> {
    const connection = new AgentConnection(this.#served.grpcPort, channel);
    try {
      return certChainOf(await connection.call(certificateRequest(csrPem, 0), fields));
    } finally {
      connection.close();
    }
  }

  async #trusted(): Promise<string> {
    if (this.#roots === "") this.#roots = await this.admin.text("/v1/bundle");
    return this.#roots;
  }

  #keep(chain: readonly string[], privateKey: KeyObject, tokenHash: string | undefined): Held {
    const leaf = new X509Certificate(chain[0]!);
    const held: Held = {
      serial: leaf.serialNumber.toLowerCase(),
      spiffeId: leaf.subjectAltName!.replace(/^URI:/, "").split(",")[0]!,
      fingerprint: hash("sha256", leaf.raw, "hex"),
      chain,
      privateKey,
      tokenHash,
    };
    this.held.push(held);
    return held;
  }
}
