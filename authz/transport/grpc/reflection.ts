import { readFile } from "node:fs/promises";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { messageOf } from "#platform/coded-error";
import { grpcCodes } from "#platform/grpc/codes";
import type { StreamCall, StreamMethods } from "#platform/grpc/contract";
import type { Log } from "#platform/log";
import { authorizationService } from "./health.ts";

/** The file of Envoy's API that defines what we serve; with it goes what it imports, and nothing else of the API. */
const servedFile = "envoy/service/auth/v3/external_auth.proto";
/** Names that a client is told. */
const servedServices = [authorizationService, "grpc.health.v1.Health"];

const versions = ["grpc.reflection.v1", "grpc.reflection.v1alpha"] as const;
type Version = (typeof versions)[number];

/**
 * Server reflection, for tools that call without having the definitions. PERF: the definitions and the library that answers are loaded
 * by the first who asks.
 */
export function createReflectionMethods(log: Log): StreamMethods {
  return new Map(
    versions.map((version) => [
      `/${version}.ServerReflection/ServerReflectionInfo`,
      (call) => {
        // What comes while the library is loaded waits for it.
        let waiting: (() => void)[] | undefined = [];
        let take: (bytes: Uint8Array) => void = () => {};
        let finish: () => void = () => {};
        const later = (run: () => void) => (waiting === undefined ? run() : void waiting.push(run));
        loaded ??= load();
        loaded.then(
          (answering) => {
            ({ take, finish } = connect(answering.get(version)!, call));
            const runs = waiting ?? [];
            waiting = undefined;
            for (const run of runs) run();
          },
          (fault: unknown) => {
            log.error({ fault: messageOf(fault) }, "reflection cannot be loaded");
            call.end({ code: grpcCodes.unavailable, message: "no definitions at hand" });
          },
        );
        return {
          message: (bytes) => later(() => take(bytes)),
          finished: () => later(() => finish()),
          drained() {},
          closed() {
            waiting = undefined;
          },
        };
      },
    ]),
  );
}

/** What the library adds to a server: how messages are read and written, and what answers a stream of them. */
interface Answering {
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseSerialize: (message: unknown) => Buffer;
  readonly answer: (stream: MessageStream) => void;
}

interface MessageStream {
  on(event: "data" | "end", listener: (message: unknown) => void): void;
  write(message: unknown): void;
  end(): void;
}

let loaded: Promise<ReadonlyMap<Version, Answering>> | undefined;

/** Joins the library to a call. What it throws at is no message of the protocol. */
function connect(
  answering: Answering,
  call: StreamCall,
): { readonly take: (bytes: Uint8Array) => void; readonly finish: () => void } {
  const listeners: { data?: (message: unknown) => void; end?: (message: unknown) => void } = {};
  answering.answer({
    on(event, listener) {
      listeners[event] = listener;
    },
    write: (message) => void call.send(answering.responseSerialize(message)),
    end: () => call.end({ code: grpcCodes.ok, message: "" }),
  });
  return {
    take(bytes) {
      try {
        listeners.data?.(answering.requestDeserialize(Buffer.from(bytes)));
      } catch (fault) {
        call.end({ code: grpcCodes.invalidArgument, message: messageOf(fault) });
      }
    },
    finish: () => listeners.end?.(undefined),
  };
}

async function load(): Promise<ReadonlyMap<Version, Answering>> {
  const [{ fromBinary, toBinary }, descriptors, { ReflectionService }, health, set] = await Promise.all([
    import("@bufbuild/protobuf"),
    import("@bufbuild/protobuf/wkt"),
    import("@grpc/reflection"),
    import("grpc-health-check"),
    readFile(new URL("../../../platform/envoy-api/envoy.binpb", import.meta.url)),
  ]);
  const healthFiles = health.service["Check"]?.requestType as { readonly fileDescriptorProtos: Buffer[] };
  const { FileDescriptorProtoSchema, FileDescriptorSetSchema } = descriptors;
  const files = withImports(fromBinary(FileDescriptorSetSchema, set).file);
  const encoded = files.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  // Of a package definition the library reads the files alone.
  const definitions = {
    files: { fileDescriptorProtos: [...encoded, ...healthFiles.fileDescriptorProtos] },
  } as unknown as ConstructorParameters<typeof ReflectionService>[0];
  const service = new ReflectionService(definitions, { services: servedServices });
  const answering = new Map<Version, Answering>();
  const collect = {
    addService(definition: ServiceDefinition, implementation: Record<string, unknown>) {
      const method = definition["ServerReflectionInfo"];
      const version = versions.find((one) => method?.path.startsWith(`/${one}.`));
      if (method === undefined || version === undefined) return;
      answering.set(version, {
        requestDeserialize: method.requestDeserialize,
        responseSerialize: method.responseSerialize as (message: unknown) => Buffer,
        answer: implementation["ServerReflectionInfo"] as Answering["answer"],
      });
    },
  };
  service.addToServer(collect as unknown as Parameters<typeof service.addToServer>[0]);
  return answering;
}

/** The served file and what it imports. */
function withImports<File extends { readonly name: string; readonly dependency: readonly string[] }>(
  all: readonly File[],
): File[] {
  const files = new Map(all.map((file) => [file.name, file]));
  const found = new Map<string, File>();
  const visit = (name: string) => {
    const file = files.get(name);
    if (file === undefined || found.has(name)) return;
    found.set(name, file);
    for (const imported of file.dependency) visit(imported);
  };
  visit(servedFile);
  return [...found.values()];
}
