import { setFlagsFromString } from "node:v8";

/**
 * Keeps what a request leaves behind in the young heap. Call it before requests are served.
 *
 * PERF: while the heap is small V8 sees that what a call makes outlives a collection or two, and from then on allocates such things in
 * the old heap for good: with gRPC calls that is a full collection every few thousand checks and a quarter more processor time
 * (`bench/grpc.ts`, whose yardstick runs with it too). What is loaded and stays is copied once or twice instead.
 */
export function keepRequestsYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
