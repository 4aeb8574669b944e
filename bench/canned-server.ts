/**
 * The yardstick: a grpc-js server that decodes nothing and always allows, with our service's settings of grpc-js and of V8. `--node-heap`: with
 * the settings of V8 that Node has by itself. Prints its address when it listens; ends with its standard input.
 */
import grpc from "@grpc/grpc-js";
import { keepRequestsYoung } from "#platform/heap";

if (!process.argv.includes("--node-heap")) keepRequestsYoung();

const allowed = Buffer.from([0x0a, 0x02, 0x08, 0x00, 0x1a, 0x00]);
const raw = (bytes: Buffer): Buffer => bytes;
const server = new grpc.Server({ "grpc.max_receive_message_length": 32 * 1024 * 1024, "grpc.enable_channelz": 0 });
server.addService(
  {
    check: {
      path: "/envoy.service.auth.v3.Authorization/Check",
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    },
  },
  { check: (_call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => done(null, allowed) },
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(`listening on 127.0.0.1:${port}`);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
