import type { TrustBundle } from "#ca/authorities/contract";
import { generateKey, type KeyPair } from "#ca/authorities/generate-key";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { sameBytes } from "#ca/x509/bytes";
import type { Clock } from "#platform/clock";
import { messageOf } from "#platform/coded-error";
import { grpcCodes } from "#platform/grpc/codes";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import { acceptBundle } from "./accept-bundle.ts";
import { backOffMillis } from "./back-off.ts";
import { BundleOffers } from "./bundle-offers.ts";
import type {
  AgentFailure,
  Attest,
  AuthorityLink,
  BundleOffer,
  BundleStanding,
  HeldCertificate,
  IdentitySettings,
  IdentityStatus,
  OpenLink,
  ServedIdentity,
} from "./contract.ts";
import { describeIdentity } from "./describe-identity.ts";
import { isVouchedFor } from "./is-vouched-for.ts";
import { obtainCertificate } from "./obtain-certificate.ts";
import { dueAtMillis, phaseOf } from "./renewal.ts";
import type { StateFolder } from "./state-folder.ts";
import { StateKeeper } from "./state-keeper.ts";

export interface IdentityLifeParts {
  readonly settings: IdentitySettings;
  readonly state: StateFolder;
  readonly openLink: OpenLink;
  readonly attest: Attest;
  /** What local streams have of a version of the bundle. */
  readonly standing: (version: string) => BundleStanding;
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 to 1, without 1. */
  readonly chance: () => number;
  readonly log: Log;
}

/** One identity of the agent, from its first key on. */
export interface IdentityLife {
  readonly served: ServedIdentity;
  status(): IdentityStatus;
  /** The first call begins it. To be called after local streams answered, came or went; it is looked at each second anyway where something waits for them. */
  look(): void;
  /** Asks for another certificate now, however young the present one is and whatever failed before. Resolves when the authority has answered, or could not, and what came was kept, or could not be: was there one? */
  renew(): Promise<boolean>;
  /** Nothing is asked any more; what is served stays. Resolves when nothing is under way, so that another one may use the folder. */
  stop(): Promise<void>;
}

/** The clock is looked at so often, for it may jump and the machine may sleep: no timer is believed for longer. */
const longestWaitMillis = 30_000;
const standingWaitMillis = 1_000;
/** A certificate is not asked for more often, however short its life is. */
const shortestWaitMillis = 1_000;
/** A bundle that has lost the root of all agents' certificates reaches all of them at once. */
const spreadMillis = 10_000;
/** How long a leaf waits until local streams have the anchors that it needs. A stream that answers nothing does not keep all others waiting. */
const anchorsWaitMillis = 10_000;

/**
 * Loads what is kept of the identity, and keeps it alive: asks for a certificate where there is none, renews it when half of its life is over, when the clock was set back, and
 * within ten seconds when the bundle does not vouch for it any more; follows the bundle, and acknowledges a version when it is kept and all local streams have it. What is held is
 * served until something better is: an outage changes nothing. Nothing is asked before the first `look`. Rejects with `agent/state` when the folder cannot be used.
 */
export async function startIdentity(parts: IdentityLifeParts): Promise<IdentityLife> {
  const { settings, state, clock, timers, log } = parts;
  const { spiffeId } = settings;
  const { nowMillis, monotonicMillis } = clock;
  const fields = { spiffeId: spiffeId.toString() };
  const loaded = await state.load();
  for (const fault of loaded.faults) log.warn({ ...fields, fault }, "a file of the state is not used");

  let { held, bundle, nextKey } = loaded;
  /** What is given out: `held`, unless that waits for its anchors or is not vouched for. */
  let given = held !== undefined && isVouchedFor(held, spiffeId, bundle, nowMillis()) ? held : undefined;
  /** Since when `held` waits to be given out. */
  let parkedMillis = given === held ? undefined : monotonicMillis();
  const offers = new BundleOffers();
  /** The one that follows the bundle; `links` has those for a single request too. */
  let link: AuthorityLink | undefined;
  /** Whose anchors the link's server is verified by. */
  let linkBundle: TrustBundle | undefined;
  const links = new Set<AuthorityLink>();
  const underWay = new Set<Promise<unknown>>();
  let begun = false;
  let askFailure: AgentFailure | undefined;
  /** Of the state folder, and of bundles that were not taken. */
  let keepFailure: AgentFailure | undefined;
  let isUnregistered = false;
  /** By the monotonic clock, as `parkedMillis`. */
  let notBeforeMillis = 0;
  let renewByMillis = given === held ? undefined : 0;
  let asking = false;
  /** Who waits for the end of the next request. */
  let renewals: ((isRenewed: boolean) => void)[] = [];
  /** The write to the state folder that was begun last. Never rejects. */
  let keeping: Promise<void> = Promise.resolve();
  let stopped = false;
  let cancel = () => {};
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const changed of [...listeners]) changed();
  };

  const failed = (last: AgentFailure | undefined, fault: Pick<AgentFailure, "code" | "message">, what: string) => {
    const failure = { ...fault, atMillis: nowMillis(), tries: (last?.tries ?? 0) + 1 };
    const isServed = given !== undefined && phaseOf(given, nowMillis()) === "valid";
    log[isServed ? "warn" : "error"]({ ...fields, code: fault.code, fault: fault.message, tries: failure.tries }, what);
    return failure;
  };

  const keeper = new StateKeeper({
    state,
    loaded,
    monotonicMillis,
    onFault(message) {
      keepFailure = failed(keepFailure, { code: "agent/state", message }, "the state cannot be kept");
    },
    onKept() {
      keepFailure = undefined;
    },
  });

  const takeBundle = (next: TrustBundle) => {
    if (bundle !== undefined && bundleVersion(bundle) === bundleVersion(next)) return;
    bundle = next;
    log.info({ ...fields, version: bundleVersion(next), anchors: next.anchors.length }, "bundle replaced");
    if (held !== undefined && !isVouchedFor(held, spiffeId, next, nowMillis())) {
      renewByMillis ??= monotonicMillis() + parts.chance() * spreadMillis;
      log.warn(fields, "the bundle does not vouch for the certificate any more: it is renewed");
    }
    tell();
  };

  const heard = (offer: BundleOffer) => {
    try {
      const next = acceptBundle(offer.pem, spiffeId.trustDomain, (bundle?.sequence ?? 0) + 1);
      offers.add(offer, bundleVersion(next));
      takeBundle(next);
    } catch (fault) {
      const message = messageOf(fault);
      keepFailure = failed(keepFailure, { code: "agent/bundle", message }, "a bundle is not taken");
      offer.reject(message);
    }
    look();
  };

  /** A certificate that was revoked is replaced as far as it can be, and what keeps it from being so is told long before it would have been renewed. */
  const refused = () => {
    if (asking || renewByMillis !== undefined) return;
    log.warn(fields, "the authority does not take the certificate any more: it is renewed");
    renewByMillis = monotonicMillis() + parts.chance() * spreadMillis;
    look();
  };

  const openLink: OpenLink = (anchors, credential) => {
    const opened = parts.openLink(anchors, credential);
    links.add(opened);
    const close = () => {
      links.delete(opened);
      opened.close();
    };
    return { ...opened, close };
  };

  const wait = (work: Promise<unknown>) => {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };

  /** With the certificate and the bundle of now. ORDER: the new connection is opened before the old one is closed. */
  const connect = () => {
    const old = link;
    link = undefined;
    linkBundle = bundle;
    if (held !== undefined && bundle !== undefined) {
      offers.restart();
      link = openLink(bundle.anchors, { kind: "certificate", held });
      link.followBundle(heard, refused);
    }
    old?.close();
  };

  const takeNextKey = async (): Promise<KeyPair> => {
    const isFit = nextKey?.publicKey.kind === settings.keyKind && !isKeyOf(nextKey, held);
    if (nextKey !== undefined && isFit) return nextKey;
    const fresh = await generateKey(settings.keyKind);
    if (stopped) throw new Error("the agent stops");
    // ORDER: before the request.
    await state.keepNextKey(fresh);
    nextKey = fresh;
    return fresh;
  };

  const ask = async (): Promise<boolean> => {
    asking = true;
    const obtaining = { settings, openLink, attest: parts.attest, nextKey: takeNextKey, nowMillis };
    const obtained = await obtainCertificate(obtaining, { held, bundle, link });
    asking = false;
    if (stopped) return false;
    if (!obtained.ok) {
      const { code, message, pace, status } = obtained;
      isUnregistered = status === grpcCodes.permissionDenied;
      askFailure = failed(askFailure, { code, message }, "no certificate");
      notBeforeMillis = monotonicMillis() + backOffMillis(pace, askFailure.tries, parts.chance());
      // Another replica may be well, and the server may have a certificate of a root that this connection does not know.
      if (link !== undefined) connect();
      tell();
      return false;
    }
    isUnregistered = false;
    askFailure = undefined;
    renewByMillis = undefined;
    notBeforeMillis = monotonicMillis() + shortestWaitMillis;
    held = obtained.held;
    const [leaf] = held.chain;
    const serial = Buffer.from(leaf!.serial).toString("hex");
    log.info({ ...fields, serial, notAfter: new Date(leaf!.notAfter.millis).toISOString() }, "certificate obtained");
    const hasAnchors = isVouchedFor(held, spiffeId, bundle, nowMillis());
    parkedMillis = hasAnchors ? undefined : monotonicMillis();
    if (hasAnchors) given = held;
    // The stream's bundle is newer than that of an answer, where there is one.
    if (!hasAnchors || !offers.hasHeard) takeBundle(obtained.offered);
    tell();
    connect();
    return true;
  };

  const defect = (fault: unknown): boolean => {
    asking = false;
    askFailure = failed(askFailure, { code: "agent/failed", message: messageOf(fault) }, "no certificate");
    notBeforeMillis = monotonicMillis() + backOffMillis("late", askFailure.tries, parts.chance());
    return false;
  };

  const settle = () => {
    if (bundle === undefined) return;
    const version = bundleVersion(bundle);
    const standing = parts.standing(version);
    if (parkedMillis !== undefined && held !== undefined && isVouchedFor(held, spiffeId, bundle, nowMillis())) {
      if (standing.waiting === 0 || monotonicMillis() - parkedMillis >= anchorsWaitMillis) {
        parkedMillis = undefined;
        given = held;
        tell();
      }
    }
    offers.settle(version, standing, keeper.hasBundle(bundle));
  };

  /** When the authority is asked next, by the monotonic clock. */
  const nextAskMillis = () => {
    const dueMillis = monotonicMillis() + dueAtMillis(held, nowMillis()) - nowMillis();
    return Math.max(Math.min(dueMillis, renewByMillis ?? dueMillis), notBeforeMillis);
  };

  const look = () => {
    if (stopped) return;
    cancel();
    if (!begun) {
      begun = true;
      connect();
    }
    // What is told of the bundle goes over the connection that it came over.
    if (link !== undefined && linkBundle !== bundle && !offers.isWaiting) connect();
    if (!keeper.hasAll({ bundle, held })) {
      keeping = keeper.keep({ bundle, held }).then(settle);
      wait(keeping);
    }
    settle();
    if (!asking && nextAskMillis() <= monotonicMillis()) {
      const asked = renewals;
      renewals = [];
      const answered = async (isRenewed: boolean) => {
        look();
        await keeping;
        for (const tellOne of asked) tellOne(isRenewed);
      };
      wait(ask().catch(defect).then(answered));
    }
    const waits = offers.isWaiting || parkedMillis !== undefined || !keeper.hasAll({ bundle, held });
    const longestMillis = waits ? standingWaitMillis : longestWaitMillis;
    const ownMillis = asking ? longestMillis : nextAskMillis() - monotonicMillis();
    cancel = timers.after(Math.min(Math.max(ownMillis, 1), longestMillis), look);
  };

  return {
    served: {
      spiffeId,
      certificate: () => given,
      bundle: () => bundle,
      isUnregistered: () => given === undefined && isUnregistered,
      subscribe(changed) {
        listeners.add(changed);
        return () => void listeners.delete(changed);
      },
    },
    status: () =>
      describeIdentity({
        spiffeId,
        given,
        bundle,
        nowMillis: nowMillis(),
        nextMillis: asking ? undefined : nowMillis() + Math.max(nextAskMillis() - monotonicMillis(), 0),
        failure: askFailure ?? keepFailure,
        answer: offers.answer,
        hasHeard: offers.hasHeard,
        kept: keeper.hasAll({ bundle, held }),
      }),
    look,
    renew() {
      if (stopped) return Promise.resolve(false);
      const answered = new Promise<boolean>((resolve) => renewals.push(resolve));
      renewByMillis = notBeforeMillis = monotonicMillis();
      look();
      return answered;
    },
    async stop() {
      stopped = true;
      cancel();
      for (const tellOne of renewals.splice(0)) tellOne(false);
      for (const open of [...links]) open.close();
      await Promise.all(underWay);
    },
  };
}

function isKeyOf({ publicKey }: KeyPair, held: HeldCertificate | undefined): boolean {
  return held !== undefined && sameBytes(publicKey.spkiDer, held.chain[0]!.spkiDer);
}
