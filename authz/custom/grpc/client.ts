import {
  Client,
  type ClientOptions,
  credentials,
  status as grpcStatus,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type { ProviderEndpoint, ProviderTarget } from "#policy-compiler/ruleset/providers/resolve";
import { faultAt, ProviderFault } from "../provider-fault.ts";
import { Rotation } from "../rotation.ts";
import type { Transport } from "../transport.ts";
import { causeOf } from "./call-cause.ts";
import { encodeCheckMessage } from "./check-message.ts";
import { readCheckAnswer } from "./read-answer.ts";

const CHECK = "/envoy.service.auth.v3.Authorization/Check";

/** Larger answers fail. Envoy takes any; Garita could not hand on more than a fraction of this. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** A provider that came back is found again after so long at most. */
const MAX_RECONNECT_MILLIS = 1000;
const MIN_RECONNECT_MILLIS = 100;

/** Connections that nobody has used for so long are closed. */
const IDLE_MILLIS = 5 * 60_000;

export interface GrpcTransportOptions {
  readonly target: ProviderTarget;
  /** `packAsBytes` of the provider. */
  readonly bodyAsBytes: boolean;
  /** PEM of the authorities to trust, instead of Node's. */
  readonly authorities: Buffer | undefined;
  readonly nowMillis: () => number;
}

/** Asks over gRPC (`envoy.service.auth.v3.Authorization/Check`): one HTTP/2 connection to each endpoint, no retries. */
export function createGrpcTransport({ target, bodyAsBytes, authorities, nowMillis }: GrpcTransportOptions): Transport {
  const rotation = new Rotation(target.endpoints);
  const clients = new Map<ProviderEndpoint, Client>();
  const clientOf = (endpoint: ProviderEndpoint): Client => {
    let client = clients.get(endpoint);
    if (client === undefined) {
      client = connect(endpoint, target, authorities);
      clients.set(endpoint, client);
    }
    return client;
  };
  return {
    async ask(asked, budgetMillis) {
      const message = Buffer.from(encodeCheckMessage(asked, bodyAsBytes));
      const endpoint = rotation.take(nowMillis());
      let answer: Buffer;
      try {
        answer = await call(clientOf(endpoint), message, budgetMillis);
      } catch (thrown) {
        rotation.failed(endpoint, nowMillis());
        throw faultAt(thrown, endpoint);
      }
      rotation.answered(endpoint);
      return readCheckAnswer(answer, asked.question);
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}

function connect(endpoint: ProviderEndpoint, { host, tls }: ProviderTarget, authorities: Buffer | undefined): Client {
  const options: ClientOptions = {
    // Istio: the host of the service.
    "grpc.default_authority": host,
    ...(tls ? { "grpc.ssl_target_name_override": host } : {}),
    "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
    "grpc.max_send_message_length": -1,
    "grpc.initial_reconnect_backoff_ms": MIN_RECONNECT_MILLIS,
    "grpc.max_reconnect_backoff_ms": MAX_RECONNECT_MILLIS,
    "grpc.client_idle_timeout_ms": IDLE_MILLIS,
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
  };
  return new Client(
    addressOf(endpoint),
    tls ? credentials.createSsl(authorities ?? null) : credentials.createInsecure(),
    options,
  );
}

function addressOf(endpoint: ProviderEndpoint): string {
  if (endpoint.kind === "unix") return `unix:${endpoint.path}`;
  const { host, port } = endpoint;
  return host.includes(":") ? `ipv6:[${host}]:${port}` : `dns:${host}:${port}`;
}

const pass = (bytes: Buffer) => bytes;

function call(client: Client, message: Buffer, budgetMillis: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const deadline = Number.isFinite(budgetMillis) ? { deadline: Date.now() + budgetMillis } : {};
    client.makeUnaryRequest(CHECK, pass, pass, message, new Metadata(), deadline, (error, answer) => {
      if (error !== null) reject(faultOf(error));
      else if (answer === undefined) reject(new ProviderFault("the call ended without an answer"));
      else resolve(answer);
    });
  });
}

/** The status, and the cause in our words: the message may be the provider's, and none of it is repeated. */
function faultOf({ code, details }: ServiceError): ProviderFault {
  const cause = causeOf(code, details);
  return new ProviderFault(`the call ended with ${grpcStatus[code] ?? code}${cause === undefined ? "" : `: ${cause}`}`);
}
