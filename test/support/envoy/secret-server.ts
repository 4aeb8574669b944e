import { createPublicKey, type KeyObject } from "node:crypto";
import type { TrustBundle } from "#ca/authorities/contract";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { secretService, secretTypeUrl } from "#ca/transport/sds/encode-secret";
import { type Bundles, createSecretType, type OwnKey } from "#ca/transport/sds/secret-type";
import type { KeyKind } from "#ca/x509/contract";
import { parseSpiffeId } from "#identity/spiffe-id";
import { systemClock } from "#platform/clock";
import { defaultDoorLimits } from "#platform/door/door";
import { serveGrpc } from "#platform/grpc/serve";
import { createLog } from "#platform/log";
import { systemTimers } from "#platform/timers";
import { newCsr, operator, type Scene, sceneDomain } from "#test/support/ca/scene";
import type { StreamEvent, StreamStatus } from "#xds/contract";
import { createDiscovery } from "#xds/discovery";

/** Secrets of one identity on a Unix socket, as an agent gives them; the test decides which. */
export interface SecretServer {
  /** What clients said, in order. */
  readonly events: readonly StreamEvent[];
  status(): readonly StreamStatus[];
  /** Gives this key from now on. */
  give(key: OwnKey): void;
  /** Gives this bundle from now on. */
  trust(bundle: TrustBundle): void;
  /** Has whatever is given now been acknowledged, by somebody for each of the two? */
  isTaken(): boolean;
  stop(): Promise<void>;
}

/** Starts one, with the bundle of the scene's authority and a first key. */
export async function startSecretServer(
  path: string,
  scene: Scene,
  spiffeId: string,
  first: OwnKey,
): Promise<SecretServer> {
  const parsed = parseSpiffeId(spiffeId);
  if (!parsed.ok) throw new Error(parsed.fault);
  const { id } = parsed;
  const { log } = createLog({ level: "silent" });
  const listeners = new Set<() => void>();
  const events: StreamEvent[] = [];
  let key = first;
  let bundles = bundlesOf(scene.authority.service.bundle());
  const tell = () => {
    for (const changed of listeners) changed();
  };
  const type = createSecretType<undefined>({
    trustDomain: sceneDomain,
    open: () => ({
      id,
      bundles: () => bundles,
      key: () => key,
      ended: () => undefined,
      subscribe(changed) {
        listeners.add(changed);
        return () => void listeners.delete(changed);
      },
    }),
    observe: (event) => void events.push(event),
  });
  const discovery = createDiscovery<undefined>({
    types: [type],
    services: [{ service: secretService, typeUrl: secretTypeUrl }],
    callerOf: () => ({ caller: undefined, text: spiffeId, fingerprint: undefined }),
    clock: systemClock,
    timers: systemTimers,
    log,
  });
  const address = { kind: "unix", path } as const;
  const door = await serveGrpc({ name: "secrets", address, tls: undefined, limits: defaultDoorLimits, log }, discovery);
  return {
    events,
    status: discovery.status,
    give(next) {
      key = next;
      tell();
    },
    trust(bundle) {
      bundles = bundlesOf(bundle);
      tell();
    },
    isTaken() {
      const names = discovery.status().flatMap((stream) => stream.names);
      const view = type.open(undefined);
      if (!("lookUp" in view)) throw new Error("a view is refused");
      return ["default", "ROOTCA"].every((name) =>
        names.some((each) => each.name === name && each.acknowledged === view.lookUp(name)?.version),
      );
    },
    async stop() {
      discovery.close();
      await door.stop(AbortSignal.abort());
    },
  };
}

function bundlesOf(bundle: TrustBundle): Bundles {
  const own = { trustDomain: bundle.trustDomain, pem: renderBundlePem(bundle), version: bundleVersion(bundle) };
  return { own, foreign: [] };
}

/** A new key of the identity, with the certificate that the scene's authority issues for it. */
export async function newKey(scene: Scene, spiffeId: string, kind: KeyKind = "P-256"): Promise<OwnKey> {
  const { privateKey, csrPem } = newCsr(kind);
  const answer = await scene.issue({ csrPem, spiffeId, credentials: operator });
  if (!answer.ok) throw new Error(`${spiffeId} got no certificate: ${answer.code}`);
  return keyWith(privateKey, answer.chain.slice(0, -1).join(""));
}

/** A key beside a chain that need not fit it. */
export function keyWith(privateKey: KeyObject, chainPem: string): OwnKey {
  return {
    chainPem,
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKeyDer: new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" })),
  };
}
