import { checkServerIdentity } from "node:tls";
import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  credentials,
  status as grpcStatus,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { type Address, renderAddress } from "#platform/address";
import { CodedError, messageOf } from "#platform/coded-error";
import { cutText } from "#platform/cut-text";
import type { CallEnd, ChannelStart, ChannelTls, GrpcChannel, UnaryResult } from "./client-contract.ts";

/** Larger answers end their call with RESOURCE_EXHAUSTED. */
const answerLimitBytes = 16 * 1024 * 1024;

/** A server that came back is found again after so long at most; calls meanwhile fail at once. */
const reconnectMillis = { first: 200, most: 5_000 } as const;

/** Of the message of a status: the server's words. */
const messageLimitBytes = 1024;

/**
 * Opens a channel over grpc-js, which connects when it is first used. INVARIANT: nobody is trusted but the roots that are given: where there are none, or certificate and key do not belong
 * together, it fails with `tls/unusable`. Metadata is told to the server alone.
 */
export function openChannel({ address, tls, keepaliveMillis }: ChannelStart): GrpcChannel {
  const name = tls?.serverName ?? (address.kind === "tcp" ? address.host : "localhost");
  const options: ClientOptions = {
    ...(tls?.serverName === undefined ? {} : { "grpc.ssl_target_name_override": name }),
    "grpc.default_authority": name,
    "grpc.keepalive_time_ms": keepaliveMillis,
    "grpc.keepalive_timeout_ms": keepaliveMillis,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.initial_reconnect_backoff_ms": reconnectMillis.first,
    "grpc.max_reconnect_backoff_ms": reconnectMillis.most,
    "grpc.max_receive_message_length": answerLimitBytes,
    "grpc.max_send_message_length": -1,
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
  };
  const client = new Client(
    targetOf(address),
    tls === undefined ? credentials.createInsecure() : secureCredentials(tls, name, address),
    options,
  );
  const open = new Set<{ cancel(): void }>();
  let closed = false;
  return {
    call(path, message, { metadata, deadlineMillis }) {
      if (closed) return Promise.resolve({ ok: false, end: closedChannel });
      return new Promise<UnaryResult>((resolve) => {
        const deadline = { deadline: Date.now() + deadlineMillis };
        const fields = metadataOf(metadata);
        const call = client.makeUnaryRequest(path, asBuffer, asBytes, message, fields, deadline, (fault, answer) => {
          open.delete(call);
          if (fault === null && answer !== undefined) resolve({ ok: true, message: answer });
          else resolve({ ok: false, end: endOf(fault ?? { code: grpcStatus.INTERNAL, details: "no answer" }) });
        });
        open.add(call);
      });
    },
    stream(path, handler) {
      if (closed) {
        queueMicrotask(() => handler.ended(closedChannel));
        return { send: () => undefined, cancel: () => undefined };
      }
      const stream = client.makeBidiStreamRequest(path, asBuffer, asBytes);
      open.add(stream);
      let status: CallEnd | undefined;
      let read = false;
      const ended = () => {
        if (status === undefined || !read) return;
        open.delete(stream);
        handler.ended(status);
      };
      stream.on("metadata", () => handler.opened?.());
      stream.on("data", (message: Uint8Array) => handler.message(message));
      // Told by the status as well.
      stream.on("error", () => undefined);
      // ORDER: a status may be told before the messages that came before it are.
      stream.on("end", () => {
        read = true;
        ended();
      });
      stream.on("status", (given) => {
        status = endOf(given);
        ended();
      });
      return {
        send(message) {
          if (status === undefined) stream.write(message);
        },
        cancel: () => stream.cancel(),
      };
    },
    close() {
      closed = true;
      for (const call of open) call.cancel();
      client.close();
    },
  };
}

const closedChannel: CallEnd = { code: grpcStatus.UNAVAILABLE, message: "the channel is closed" };

function secureCredentials(tls: ChannelTls, name: string, address: Address): ChannelCredentials {
  // No roots are not those that Node comes with.
  if (!tls.rootsPem.includes("-----BEGIN CERTIFICATE-----"))
    throw new CodedError("tls/unusable", `there is no authority to trust at ${renderAddress(address)}`);
  const key = tls.client === undefined ? null : Buffer.from(tls.client.keyPem);
  const cert = tls.client === undefined ? null : Buffer.from(tls.client.certPem);
  try {
    return credentials.createSsl(Buffer.from(tls.rootsPem), key, cert, {
      checkServerIdentity(_host, certificate) {
        if (checkServerIdentity(name, certificate) !== undefined)
          return new Error(`the server's certificate is not for \`${name}\`, but for ${certificate.subjectaltname}`);
        const ours = tls.serverFault(new Uint8Array(certificate.raw));
        return ours === undefined ? undefined : new Error(ours);
      },
    });
  } catch (cause) {
    throw new CodedError("tls/unusable", `no TLS with ${renderAddress(address)}: ${messageOf(cause)}`, { cause });
  }
}

function targetOf(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const { host, port } = address;
  return host.includes(":") ? `ipv6:[${host}]:${port}` : `dns:${host}:${port}`;
}

function metadataOf(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}

function endOf({ code, details }: Pick<ServiceError, "code" | "details">): CallEnd {
  return { code, message: cutText(plainReason(details), messageLimitBytes) };
}

/** What the library says where nobody answers, without its frame: the system's error alone. */
function plainReason(details: string): string {
  const framed = /^No connection established\. Last error: (?:Error: )?(.+)\. Resolution note: (.*)$/s.exec(details);
  return framed === null ? details : [framed[1], framed[2]].filter((part) => part !== "").join(": ");
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asBytes = (bytes: Buffer): Uint8Array => bytes;
