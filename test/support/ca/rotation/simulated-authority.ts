import { randomBytes } from "node:crypto";
import { type Authorities, openAuthorities } from "#ca/authorities/authorities";
import type { AuthoritySet, IssuingAuthority } from "#ca/authorities/contract";
import { defaultAuthoritySettings } from "#ca/authorities/settings";
import { bundleVersion } from "#ca/bundle/build-bundle";
import type { BundleStream, RotationSettings } from "#ca/rotation/contract";
import { createRootRotation, type RunningRotation } from "#ca/rotation/root-rotation";
import { defaultRotationSettings } from "#ca/rotation/settings";
import type { CertificateInUse } from "#ca/store/contract";
import type { Certificate } from "#ca/x509/contract";
import { sceneKey } from "#test/support/ca/authority-scene";
import { silentLog } from "#test/support/ca/silent-log";
import type { EventQueue } from "./event-queue.ts";
import { createMemoryRotationStore, type MemoryRotationStore } from "./memory-rotation-store.ts";
import type { Trust } from "./trust-oracle.ts";

const day = 24 * 3_600_000;

/** What of the authority a request is answered with. */
export interface Pinned {
  readonly issuing: IssuingAuthority;
  readonly leafRoot: string;
  readonly sequence: number;
  readonly trust: Trust & { readonly anchors: readonly Certificate[] };
}

/** How an authority is broken, to see that it is noticed. */
export interface Breakage {
  readonly settings?: Partial<RotationSettings>;
  /** What it is told of the certificates in use. */
  readonly certificates?: (certificates: readonly CertificateInUse[], now: Pinned) => readonly CertificateInUse[];
  /** What it is told of the streams. */
  readonly streams?: (streams: readonly BundleStream[], now: Pinned) => readonly BundleStream[];
}

/** The real authorities and the real rotation over a store in memory, in the time of a simulation. */
export interface SimulatedAuthority {
  readonly authorities: Authorities;
  readonly rotation: RunningRotation;
  readonly store: MemoryRotationStore;
  /** What a replica hands out that has looked at the store so long ago. */
  pinned(lagMillis: number): Pinned;
}

export async function openSimulatedAuthority(
  queue: EventQueue,
  leafMillis: number,
  streams: () => readonly BundleStream[],
  broken: Breakage = {},
): Promise<SimulatedAuthority> {
  const startMillis = queue.nowMillis;
  const clock = { nowMillis: () => queue.nowMillis, monotonicMillis: () => queue.nowMillis - startMillis };
  // The simulation looks after everything itself.
  const timers = { after: () => () => undefined };
  const store = createMemoryRotationStore();
  const authorities = await openAuthorities({
    store,
    keyEncryptionKey: sceneKey,
    trustDomain: "example.org",
    settings: { ...defaultAuthoritySettings, rootLifetimeMillis: 1095 * day, longestLeafMillis: leafMillis },
    clock,
    timers,
    random: randomBytes,
    log: silentLog,
  });
  await authorities.initialise("the simulation");
  const past: { readonly atMillis: number; readonly pinned: Pinned }[] = [];
  const keep = () => past.unshift({ atMillis: queue.nowMillis, pinned: pinnedOf(authorities) });
  keep();
  authorities.subscribe(() => {
    keep();
    past.length = Math.min(past.length, 10);
  });
  const now = () => past[0]!.pinned;
  const { certificates = (all) => all, streams: told = (all) => all } = broken;
  const rotation = createRootRotation({
    authorities,
    store: {
      ...store,
      certificatesInUse: async (query) => certificates(await store.certificatesInUse(query), now()),
    },
    streams: () => told(streams(), now()),
    settings: { ...defaultRotationSettings, ...broken.settings },
    clock,
    timers,
    log: silentLog,
    onActivated: () => undefined,
  });
  return {
    authorities,
    rotation,
    store,
    pinned: (lagMillis) =>
      (past.find(({ atMillis }) => atMillis <= queue.nowMillis - lagMillis) ?? past.at(-1)!).pinned,
  };
}

function pinnedOf(authorities: Authorities): Pinned {
  const set: AuthoritySet = authorities.current();
  const { issuing, bundle } = set;
  if (issuing === undefined) throw new Error("no issuing authority is active");
  const trusted = new Set(bundle.anchors.map(({ der }) => Buffer.from(der).toString("latin1")));
  const { roots } = authorities.loaded();
  const keyIdOf = (certificate: Certificate) =>
    roots.find(({ authority }) => authority.certificate.der === certificate.der)!.record.keyId;
  return {
    issuing,
    leafRoot: keyIdOf(issuing.root),
    sequence: bundle.sequence,
    trust: {
      version: bundleVersion(bundle),
      anchors: bundle.anchors,
      roots: new Set(
        roots
          .filter(({ authority }) => trusted.has(Buffer.from(authority.certificate.der).toString("latin1")))
          .map(({ record }) => record.keyId),
      ),
    },
  };
}
