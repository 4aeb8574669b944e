import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  credentials,
  type Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type { Address } from "#platform/address";

const identity = (bytes: Buffer): Buffer => bytes;

/** Calls a unary method with bytes. Rejects with grpc-js's ServiceError. */
export interface BytesClient {
  call(path: string, message: Uint8Array, metadata?: Metadata, deadlineMillis?: number): Promise<Buffer>;
  close(): void;
}

/** A client of an address on this machine. */
export function bytesClient(
  address: Address,
  channel: ChannelCredentials = credentials.createInsecure(),
  options: ClientOptions = {},
): BytesClient {
  // By name: certificates carry names, and TLS has no server name for an address.
  const target = address.kind === "unix" ? `unix:${address.path}` : `localhost:${address.port}`;
  const client = new Client(target, channel, options);
  return {
    call: (path, message, metadata, deadlineMillis) =>
      new Promise((resolve, reject) => {
        const done = (error: ServiceError | null, value?: Buffer) => (error === null ? resolve(value!) : reject(error));
        const call = deadlineMillis === undefined ? {} : { deadline: Date.now() + deadlineMillis };
        const bytes = Buffer.from(message);
        if (metadata === undefined) client.makeUnaryRequest(path, identity, identity, bytes, call, done);
        else client.makeUnaryRequest(path, identity, identity, bytes, metadata, call, done);
      }),
    close: () => client.close(),
  };
}

export const checkPath = "/envoy.service.auth.v3.Authorization/Check";
export const healthPath = "/grpc.health.v1.Health/Check";
