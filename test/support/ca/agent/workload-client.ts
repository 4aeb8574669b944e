import type { TestContext } from "node:test";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";

/** A message of the Workload API, read by hand. */
export interface WorkloadMessage {
  readonly spiffeId: string;
  /** DER: the leaf, intermediates behind it. */
  readonly x509Svid: Buffer;
  readonly key: Buffer;
  readonly bundle: Buffer;
}

export interface WorkloadClient {
  /** The next message that has not been read. Rejects with the status when the stream ends. */
  next(): Promise<WorkloadMessage>;
}

export const workloadHeader = () => {
  const metadata = new Metadata();
  metadata.set("workload.spiffe.io", "true");
  return metadata;
};

/** A stream of a workload at a socket; it ends with the test. */
export function openWorkloadStream(
  t: TestContext,
  socket: string,
  method: "FetchX509SVID" | "FetchX509Bundles" | "FetchJWTBundles" | "FetchWITSVID",
  metadata = workloadHeader(),
): WorkloadClient {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  t.after(() => client.close());
  const stream = client.makeServerStreamRequest(
    `/SpiffeWorkloadAPI/${method}`,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
    Buffer.alloc(0),
    metadata,
  );
  const messages: Buffer[] = [];
  let fault: ServiceError | undefined;
  let wake = () => {};
  stream.on("data", (message: Buffer) => {
    messages.push(message);
    wake();
  });
  stream.on("error", (error: ServiceError) => {
    fault = error;
    wake();
  });
  t.after(() => stream.cancel());
  return {
    async next() {
      while (messages.length === 0) {
        if (fault !== undefined) throw fault;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return method === "FetchX509SVID" ? readSvid(messages.shift()!) : readBundles(messages.shift()!);
    },
  };
}

function fieldsOf(bytes: Uint8Array): ReadonlyMap<number, Buffer> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Buffer>();
  while (reader.pos < reader.len) {
    const [number] = reader.tag();
    fields.set(number, Buffer.from(reader.bytes()));
  }
  return fields;
}

function readSvid(message: Buffer): WorkloadMessage {
  const svid = fieldsOf(fieldsOf(message).get(1)!);
  const [id, x509Svid, key, bundle] = [1, 2, 3, 4].map((number) => svid.get(number)!);
  return { spiffeId: id!.toString(), x509Svid: x509Svid!, key: key!, bundle: bundle! };
}

function readBundles(message: Buffer): WorkloadMessage {
  const entry = fieldsOf(fieldsOf(message).get(2)!);
  const none = Buffer.alloc(0);
  return { spiffeId: entry.get(1)!.toString(), x509Svid: none, key: none, bundle: entry.get(2)! };
}
