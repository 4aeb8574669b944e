import type { TrustBundle } from "#ca/authorities/contract";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { renderBundlePem } from "#ca/bundle/render-pem";
import type { CallerKeys, HeldKey } from "#ca/service/caller-keys";
import { sameBytes } from "#ca/x509/bytes";
import { verifySvid } from "#ca/x509/verify-svid";
import { createLineGate } from "#platform/door/line-gate";
import type { Log } from "#platform/log";
import type { ResourceType, StreamEvent } from "#xds/contract";
import type { StreamCaller, StreamCallers } from "../stream-callers.ts";
import { type Bundles, createSecretType } from "./secret-type.ts";

export interface AuthoritySecretsParts {
  readonly trustDomain: string;
  /** The bundle in force: the same object as long as nothing has changed. */
  readonly bundle: () => TrustBundle;
  /** `changed` is called after another one came into force. Returns how to stop that. */
  readonly onBundle: (changed: () => void) => () => void;
  readonly callers: StreamCallers;
  /** Undefined: the authority makes no keys for others, and there are none to give. */
  readonly keys: CallerKeys | undefined;
  readonly log: Log;
  readonly nowMillis: () => number;
  /** Hears what clients say of secrets, for metrics. `pushMillis`: since another bundle came into force until this acknowledgement of it, where the stream was open before. */
  readonly onEvent: (event: StreamEvent, pushMillis: number | undefined) => void;
}

/** Of rejections: a client in a loop causes many. */
const linesPerSecond = 20;

/**
 * The authority's secrets: its bundle to every caller, and to each that the bundle in force vouches for the key that was made for its own identity, where keys are made at all. A key is made when a stream
 * asks for it first, and exists while one does; a single question (FetchSecrets) makes none.
 */
export function createAuthoritySecrets(parts: AuthoritySecretsParts): ResourceType<StreamCaller> {
  const { trustDomain, bundle, onBundle, callers, keys, log, nowMillis, onEvent } = parts;
  const bundlesOf = createBundles(nowMillis);
  const gate = createLineGate(linesPerSecond);
  const tellRejection = ({ name, version, message, stream: { caller, node, id } }: StreamEvent) => {
    const told = gate.pass();
    if (told === undefined) return;
    const fields = { resource: name, version, reason: message, spiffeId: caller, node, stream: id };
    log.warn({ ...fields, ...(told.leftOut > 0 && told) }, "a secret was rejected");
  };
  // What is in force now was pushed to nobody.
  bundlesOf(bundle());
  return createSecretType<StreamCaller>({
    trustDomain,
    open(caller) {
      let notify: (() => void) | undefined;
      let held: HeldKey | undefined;
      const isVouchedFor = createVouching(caller, trustDomain, nowMillis);
      return (
        callers.ended(caller) ?? {
          id: caller.id,
          bundles: () => bundlesOf(bundle()).bundles,
          key() {
            if (keys === undefined || notify === undefined) return undefined;
            if (!isVouchedFor(bundle())) {
              held?.release();
              held = undefined;
              return undefined;
            }
            held ??= keys.hold({
              spiffeId: caller.id.toString(),
              credentials: caller.credentials,
              changed: () => notify?.(),
            });
            return held.current();
          },
          ended: () => callers.ended(caller),
          subscribe(changed) {
            notify = changed;
            const stops = [onBundle(changed), callers.subscribe(changed)];
            return () => {
              for (const stop of stops) stop();
              held?.release();
              held = undefined;
              notify = undefined;
            };
          },
        }
      );
    },
    observe(event) {
      if (event.kind === "rejected") tellRejection(event);
      onEvent(event, pushMillisOf(event, bundlesOf(bundle()), nowMillis()));
    },
  });
}

/**
 * Does a bundle vouch for the certificate of a caller? A root that was removed may be one that somebody else has the key of: a stream that was opened under it before gets no key, though others of
 * the identity have one made. PERF: verified once, and again where a root has gone.
 */
function createVouching(
  { credentials }: StreamCaller,
  trustDomain: string,
  nowMillis: () => number,
): (bundle: TrustBundle) => boolean {
  let known: { readonly bundle: TrustBundle; readonly isGood: boolean } | undefined;
  return (bundle) => {
    if (known?.bundle === bundle) return known.isGood;
    const isGood =
      (known?.isGood === true && hasAll(bundle, known.bundle)) ||
      verifySvid(
        credentials.clientCertificates,
        (name) => (name === trustDomain ? bundle.anchors : undefined),
        nowMillis(),
      ).ok;
    known = { bundle, isGood };
    return isGood;
  };
}

function hasAll({ anchors }: TrustBundle, before: TrustBundle): boolean {
  return before.anchors.every(({ der }) => anchors.some((anchor) => sameBytes(anchor.der, der)));
}

interface MadeBundles {
  readonly of: TrustBundle;
  readonly bundles: Bundles;
  readonly sinceMillis: number;
}

/** The bundle as secrets have it; made once for each, and anew where its content is another. */
function createBundles(nowMillis: () => number): (bundle: TrustBundle) => MadeBundles {
  let made: MadeBundles | undefined;
  return (bundle) => {
    if (made?.of === bundle) return made;
    const version = bundleVersion(bundle);
    if (made?.bundles.own.version === version) {
      made = { ...made, of: bundle };
    } else {
      const own = { trustDomain: bundle.trustDomain, pem: renderBundlePem(bundle), version };
      made = { of: bundle, bundles: { own, foreign: [] }, sinceMillis: nowMillis() };
    }
    return made;
  };
}

function pushMillisOf(
  { kind, version, stream }: StreamEvent,
  { bundles, sinceMillis }: MadeBundles,
  nowMillis: number,
): number | undefined {
  const isPush = kind === "acknowledged" && version === bundles.own.version && stream.sinceMillis < sinceMillis;
  // A clock that went back meanwhile would tell of less than nothing.
  return isPush ? Math.max(0, nowMillis - sinceMillis) : undefined;
}
