import { fromBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { type CheckRequest, CheckRequestSchema } from "#platform/envoy-api/gen/envoy/service/auth/v3/external_auth_pb";
import { checkService } from "#test/support/grpc/check-service";

export interface GrpcQuestion {
  readonly message: Uint8Array;
  readonly request: CheckRequest;
  readonly authority: string;
  /** Call metadata: every name and value that came. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
}

export type GrpcAnswer = (
  question: GrpcQuestion,
) => Uint8Array | { readonly rpcError: number } | Promise<Uint8Array | { readonly rpcError: number }>;

export interface GrpcProvider {
  readonly port: number;
  answer(next: GrpcAnswer): void;
  take(): GrpcQuestion[];
  stop(): Promise<void>;
}

export interface GrpcProviderOptions {
  /** A free one if not given. */
  readonly port?: number;
  readonly tls?: { readonly certificate: Buffer; readonly key: Buffer };
}

/** A gRPC ext_authz server that keeps what it is asked and answers as told; empty bytes allow. */
export async function startGrpcProvider({ port = 0, tls }: GrpcProviderOptions = {}): Promise<GrpcProvider> {
  let taken: GrpcQuestion[] = [];
  let answer: GrpcAnswer = () => Buffer.of();
  const check = async (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
    const question: GrpcQuestion = {
      message: call.request,
      request: fromBinary(CheckRequestSchema, call.request),
      authority: call.getHost(),
      metadata: Object.entries(call.metadata.toJSON()).flatMap(([name, values]) =>
        values.map((value) => [name, String(value)] as const),
      ),
    };
    taken.push(question);
    const response = await answer(question);
    if ("rpcError" in response) reply({ code: response.rpcError, details: "as told" });
    else reply(null, Buffer.from(response));
  };
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  server.addService(checkService, { check });
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.key }])
    : ServerCredentials.createInsecure();
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, at) => (error === null ? resolve(at) : reject(error)));
  });
  return {
    port: bound,
    answer(next) {
      answer = next;
    },
    take() {
      const all = taken;
      taken = [];
      return all;
    },
    async stop() {
      server.forceShutdown();
    },
  };
}
