import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ChannelCredentials, Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "../../../ca/transport/istio-api/gen/security/v1alpha1/ca_pb.ts";

export const createCertificatePath = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

/** An encoded IstioCertificateRequest. */
export function certificateRequest(
  csr: string,
  ttlSeconds: number,
  metadata: Readonly<Record<string, string>> = { CertSigner: "" },
): Uint8Array {
  const validityDuration = BigInt(ttlSeconds);
  return toBinary(
    IstioCertificateRequestSchema,
    create(IstioCertificateRequestSchema, { csr, validityDuration, metadata: { ...metadata } }),
  );
}

export function certChainOf(response: Uint8Array): readonly string[] {
  return fromBinary(IstioCertificateResponseSchema, response).certChain;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const asBytes = (bytes: Buffer): Uint8Array => bytes;

/** A connection of one agent, by grpc-js. Calls reject with its ServiceError. */
export class AgentConnection {
  readonly #client: Client;

  constructor(port: number, channel: ChannelCredentials, host = "localhost") {
    // A pool of its own: two agents never share a connection.
    this.#client = new Client(`${host}:${port}`, channel, {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.keepalive_time_ms": 30_000,
      "grpc.enable_retries": 0,
    });
  }

  call(
    message: Uint8Array,
    fields: readonly (readonly [name: string, value: string])[] = [],
    path = createCertificatePath,
  ): Promise<Uint8Array> {
    const metadata = new Metadata();
    for (const [name, value] of fields) metadata.add(name, value);
    return new Promise((resolve, reject) => {
      const done = (fault: ServiceError | null, bytes?: Uint8Array) =>
        fault === null ? resolve(bytes!) : reject(fault);
      this.#client.makeUnaryRequest(path, asBuffer, asBytes, message, metadata, done);
    });
  }

  close(): void {
    this.#client.close();
  }
}
