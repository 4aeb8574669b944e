import type { TestContext } from "node:test";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { serveIstio } from "#ca/transport/istio/serve";
import { writePem } from "#ca/x509/pem";
import { openAuthorityDiscovery } from "#cli/serve/authority/open-discovery";
import type { ObserveStream } from "#cli/serve/authority/stream-metrics";
import { defaultDoorLimits } from "#platform/door/door";
import { systemTimers, type Timers } from "#platform/timers";
import type { Discovery } from "#xds/discovery";
import { recordLog } from "./record-log.ts";
import { type Scene, sceneDomain } from "./scene.ts";
import { enrolIn } from "./scene-requests.ts";
import { SecretStream } from "./secret-stream.ts";

/** The gRPC door of a scene's authority, with everything that it gives by streams. */
export interface SecretDoor {
  readonly port: number;
  readonly discovery: Discovery;
  readonly lines: ReturnType<typeof recordLog>["lines"];
  /** What shows a new certificate of the identity, and its serial. */
  channelOf(spiffeId: string): Promise<{ readonly channel: ChannelCredentials; readonly serialHex: string }>;
  /** A stream with such a certificate; without a path one of SDS. */
  streamOf(spiffeId: string, path?: string): Promise<SecretStream & { readonly serialHex: string }>;
  /** A stream that shows no certificate. */
  stranger(): SecretStream;
}

export interface SecretDoorChanges {
  readonly sdsKeys?: boolean;
  readonly plaintext?: boolean;
  readonly timers?: Timers;
  readonly onStream?: ObserveStream;
}

/** Opens it; it ends with the test. The scene needs `serverNames: ["localhost"]`. */
export async function openSecretDoor(
  t: TestContext,
  scene: Scene,
  changes: SecretDoorChanges = {},
): Promise<SecretDoor> {
  const { sdsKeys = false, plaintext = false, timers = systemTimers, onStream = () => undefined } = changes;
  const { log, lines } = recordLog();
  const { authority } = scene;
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const clock = { nowMillis: () => Date.now() + scene.shiftMillis, monotonicMillis: () => performance.now() };
  const config = { trustDomain: sceneDomain, grpc: { address, plaintext, sdsKeys } };
  const discovery = openAuthorityDiscovery(config, authority, { clock, timers, log, chance: () => 0.5, onStream });
  const { certPem, keyPem } = authority.serverCertificate!;
  const door = await serveIstio({
    name: "ca-grpc",
    address,
    tls: plaintext ? undefined : { cert: certPem, key: keyPem },
    limits: defaultDoorLimits,
    log,
    service: authority.service,
    serving: authority.serving,
    discovery,
  });
  const port = door.address.kind === "tcp" ? door.address.port : 0;
  const roots = Buffer.from(renderBundlePem(authority.service.bundle()));
  const opened = (stream: SecretStream): SecretStream => {
    t.after(() => stream.close());
    return stream;
  };
  t.after(async () => {
    discovery.close();
    await door.stop(AbortSignal.abort());
  });
  const channelOf: SecretDoor["channelOf"] = async (spiffeId) => {
    const { privateKey, chain, answer } = await enrolIn(scene, spiffeId);
    const key = Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" }));
    const chainPem = Buffer.from(chain.map((der) => writePem("CERTIFICATE", der)).join(""));
    return { channel: credentials.createSsl(roots, key, chainPem), serialHex: answer.serialHex };
  };
  return {
    port,
    discovery,
    lines,
    channelOf,
    async streamOf(spiffeId, path) {
      const { channel, serialHex } = await channelOf(spiffeId);
      return Object.assign(opened(new SecretStream(port, channel, path)), { serialHex });
    },
    stranger: () =>
      opened(new SecretStream(port, plaintext ? credentials.createInsecure() : credentials.createSsl(roots))),
  };
}
