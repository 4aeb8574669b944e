import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import type { CheckAnswer } from "#authz/check/wire/check-answer";
import { encodeCheckResponse } from "#authz/check/wire/encode-check-response";
import { checkService } from "#test/support/grpc/check-service";

/** One check as it came over the wire. */
export interface CapturedCheck {
  readonly message: Buffer;
  /** The call's metadata: every value sent under a name. */
  metadata(name: string): readonly string[];
}

export interface CaptureServer {
  /** 0 on a Unix socket. */
  readonly port: number;
  /** What was asked since the last `take`, oldest first. */
  take(): CapturedCheck[];
  /** The answer to every check from now on. */
  answer(answer: CheckAnswer): void;
  stop(): Promise<void>;
}

/** An answer that allows and edits nothing. */
export const plainAllow: CheckAnswer = {
  allowed: true,
  code: 0,
  httpStatus: 200,
  body: "",
  clientHeaders: [],
  setHeaders: [],
  removeHeaders: [],
  responseHeaders: [],
  metadata: [],
};

export interface CaptureServerOptions {
  /** `unix:/path`, or an address and port; a free port of 127.0.0.1 if not given. */
  readonly address?: string;
  /** Serve TLS and demand a client certificate of this CA. */
  readonly tls?: { readonly ca: Buffer; readonly certificate: Buffer; readonly key: Buffer };
}

/** A gRPC server in Garita's place that keeps the bytes Envoy sends and answers as told. */
export async function startCaptureServer(options: CaptureServerOptions = {}): Promise<CaptureServer> {
  let captured: CapturedCheck[] = [];
  let response = Buffer.from(encodeCheckResponse(plainAllow));
  const check = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
    captured.push({ message: call.request, metadata: (name) => call.metadata.get(name).map(String) });
    reply(null, response);
  };
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  server.addService(checkService, { check });
  const { tls } = options;
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(tls.ca, [{ cert_chain: tls.certificate, private_key: tls.key }], true);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(options.address ?? "127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    take() {
      const taken = captured;
      captured = [];
      return taken;
    },
    answer(answer) {
      response = Buffer.from(encodeCheckResponse(answer));
    },
    async stop() {
      server.forceShutdown();
    },
  };
}
