import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import { type Door, type DoorStart, defaultDoorLimits } from "#platform/door/door";
import type { GrpcMethods } from "#platform/grpc/contract";
import { serveGrpc } from "#platform/grpc/serve";
import { createLog } from "#platform/log";

export interface OpenGrpcDoor {
  readonly door: Door;
  /** 0: a Unix socket. */
  readonly port: number;
  /** The log so far. */
  readonly logged: () => string;
}

/** A door with these methods on a free port of this machine, in plain text unless TLS is given. It ends with the test. */
export async function openGrpcDoor(
  t: TestContext,
  methods: Partial<GrpcMethods>,
  options: Partial<Omit<DoorStart, "limits">> & { readonly limits?: Partial<DoorStart["limits"]> } = {},
): Promise<OpenGrpcDoor> {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
  });
  const door = await serveGrpc(
    {
      name: "test",
      address: { kind: "tcp", host: "127.0.0.1", port: 0 },
      tls: undefined,
      log: createLog({ level: "info", stream }).log,
      ...options,
      limits: { ...defaultDoorLimits, ...options.limits },
    },
    { unary: new Map(), streams: new Map(), ...methods },
  );
  t.after(() => door.stop(AbortSignal.abort()));
  return { door, port: door.address.kind === "tcp" ? door.address.port : 0, logged: () => text };
}
