import { readFile } from "node:fs/promises";
import type { Server, ServerDuplexStream, ServiceDefinition } from "@grpc/grpc-js";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";

/** The file of Envoy's API that defines what we serve; with it goes what it imports, and nothing else of the API. */
const servedFile = "envoy/service/auth/v3/external_auth.proto";
/** Names that a client is told. */
const servedServices = ["envoy.service.auth.v3.Authorization", "grpc.health.v1.Health"];

const versions = ["grpc.reflection.v1", "grpc.reflection.v1alpha"] as const;
type Version = (typeof versions)[number];

const invalidArgument = 3;
const unavailable = 14;

/**
 * Adds server reflection, for tools that call without having the definitions. PERF: the definitions and the library that answers are loaded
 * by the first who asks.
 */
export function addReflection(server: Server, log: Log): void {
  for (const version of versions) {
    server.addService(rawDefinition(version), {
      ServerReflectionInfo(call: ServerDuplexStream<Buffer, Buffer>) {
        loaded ??= load();
        loaded.then(
          (answering) => connect(answering.get(version)!, call),
          (fault: unknown) => {
            log.error({ fault: messageOf(fault) }, "reflection cannot be loaded");
            call.emit("error", { code: unavailable, details: "no definitions at hand" });
          },
        );
      },
    });
  }
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

function connect(answering: Answering, call: ServerDuplexStream<Buffer, Buffer>): void {
  answering.answer({
    on(event, listener) {
      if (event === "end") call.on("end", listener);
      else call.on("data", (bytes: Buffer) => takeMessage(answering, call, bytes, listener));
    },
    write: (message) => call.write(answering.responseSerialize(message)),
    end: () => call.end(),
  });
}

function takeMessage(
  answering: Answering,
  call: ServerDuplexStream<Buffer, Buffer>,
  bytes: Buffer,
  listener: (message: unknown) => void,
): void {
  try {
    listener(answering.requestDeserialize(bytes));
  } catch (fault) {
    call.emit("error", { code: invalidArgument, details: messageOf(fault) });
  }
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

function rawDefinition(version: Version) {
  const asBytes = (bytes: Buffer): Buffer => bytes;
  return {
    ServerReflectionInfo: {
      path: `/${version}.ServerReflection/ServerReflectionInfo`,
      requestStream: true,
      responseStream: true,
      requestSerialize: asBytes,
      requestDeserialize: asBytes,
      responseSerialize: asBytes,
      responseDeserialize: asBytes,
    },
  } as const;
}
