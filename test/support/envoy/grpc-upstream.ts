import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import type { Upstream } from "./echo-upstream.ts";

const asBytes = (bytes: Buffer): Buffer => bytes;

/** The method that the gRPC application has. */
export const listOrders = "/shop.Orders/List";

/** A gRPC application with one unary method, which sends its message back. */
export async function startGrpcUpstream(): Promise<Upstream> {
  const server = new Server();
  const list = {
    path: listOrders,
    requestStream: false,
    responseStream: false,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  } as const;
  server.addService(
    { list },
    { list: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, call.request) },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { port, stop: async () => server.forceShutdown() };
}
