import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ChannelCredentials, Client, type ClientDuplexStream, type StatusObject } from "@grpc/grpc-js";
import { secretService, secretTypeUrl } from "#ca/transport/sds/encode-secret";
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "#platform/envoy-api/gen/envoy/service/discovery/v3/discovery_pb";

const asBuffer = (message: DiscoveryRequest): Buffer => Buffer.from(toBinary(DiscoveryRequestSchema, message));
const asResponse = (bytes: Buffer): DiscoveryResponse => fromBinary(DiscoveryResponseSchema, bytes);

/** How long a test waits for what should come. */
const patienceMillis = 10_000;

/** One secret as it came. */
export interface ReceivedSecret {
  readonly version: string;
  readonly nonce: string;
  readonly body: Uint8Array;
}

/** A client of state-of-the-world SDS or ADS as Envoy is one, by grpc-js, which says what the test tells it to. */
export class SecretStream {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<DiscoveryRequest, DiscoveryResponse>;
  readonly #received: ReceivedSecret[] = [];
  readonly #waiting: (() => void)[] = [];
  /** How the stream ended. */
  readonly ended: Promise<Pick<StatusObject, "code" | "details">>;

  constructor(port: number, channel: ChannelCredentials, path = `/${secretService}/StreamSecrets`) {
    this.#client = new Client(`localhost:${port}`, channel, { "grpc.use_local_subchannel_pool": 1 });
    this.#call = this.#client.makeBidiStreamRequest(path, asBuffer, asResponse);
    this.#call.on("data", ({ versionInfo, nonce, resources }: DiscoveryResponse) => {
      const [first] = resources;
      if (resources.length !== 1 || first === undefined) throw new Error(`${resources.length} secrets in an answer`);
      this.#received.push({ version: versionInfo, nonce, body: first.value });
      this.#waiting.shift()?.();
    });
    // The status tells it.
    this.#call.on("error", () => undefined);
    this.ended = new Promise((resolve) => this.#call.on("status", resolve));
  }

  /** Asks for names, as the first message of a stream does. */
  ask(names: readonly string[], node = "test-1"): void {
    this.#send({ resourceNames: [...names], node: { id: node, cluster: "test" } });
  }

  acknowledge({ version, nonce }: ReceivedSecret, names: readonly string[]): void {
    this.#send({ resourceNames: [...names], versionInfo: version, responseNonce: nonce });
  }

  reject({ nonce }: ReceivedSecret, names: readonly string[], message: string): void {
    this.#send({ resourceNames: [...names], responseNonce: nonce, errorDetail: { code: 13, message } });
  }

  /** The next secret, awaited. */
  async next(): Promise<ReceivedSecret> {
    while (this.#received.length === 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("no secret came")), patienceMillis);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.#received.shift()!;
  }

  /** Secrets that came and were not taken. */
  get pending(): number {
    return this.#received.length;
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }

  #send(request: Parameters<typeof create<typeof DiscoveryRequestSchema>>[1]): void {
    this.#call.write(create(DiscoveryRequestSchema, { typeUrl: secretTypeUrl, ...request }));
  }
}
