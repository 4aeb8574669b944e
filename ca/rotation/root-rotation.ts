import type { Authorities } from "#ca/authorities/authorities";
import type { AuthorityContext, AuthorityState } from "#ca/authorities/authority-state";
import { bundleVersion } from "#ca/bundle/build-bundle";
import type { CaStore } from "#ca/store/contract";
import type { Clock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import { createCautiousClock } from "./cautious-clock.ts";
import type {
  BundleStream,
  RootRotation,
  RootState,
  RootStep,
  RotationSettings,
  RotationStatus,
  RotationSummary,
  RotationView,
} from "./contract.ts";
import { decideSteps, nextRoot } from "./decide-steps.ts";
import { forecast } from "./forecast.ts";
import { makeRoot } from "./make-root.ts";
import { createNextIssuer, testedIssuer } from "./next-issuer.ts";
import { planEmergency } from "./plan-emergency.ts";
import { readCertificates } from "./read-certificates.ts";
import { summarize } from "./summarize.ts";
import { takeStep } from "./take-step.ts";
import { viewRoots } from "./view-roots.ts";

export interface RootRotationParts {
  readonly authorities: Authorities;
  readonly store: Pick<CaStore, "certificatesInUse" | "rootWaivers" | "addRootWaiver" | "recordEvent">;
  /** Everybody who has the bundle by a stream now. */
  readonly streams: () => readonly BundleStream[];
  readonly settings: RotationSettings;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** After another issuing authority, under another root, is in force. Not waited for by whoever asked for it. */
  readonly onActivated: () => void;
}

/** The rotation for as long as the program runs. */
export interface RunningRotation extends RootRotation {
  /** Does now what is done at every look: each step that nothing holds up. Fails as the store does. */
  lookAfter(): Promise<void>;
  /** Looks within a second, where a root waits for anybody: after a stream has acknowledged something. */
  lookSoon(): void;
  summary(): RotationSummary;
  /** What is under way ends. */
  close(): void;
}

/** One look takes at most so many steps: of a root that nobody waits for there are three. */
const mostSteps = 16;
/** After acknowledgements, which come in numbers: so long, and so many times as long as the look before took, so that it stays a small part of what is done. */
const soonMillis = 1_000;
const soonTimes = 20;
/** How often is told when the first proxy would break. */
const forecastMillis = 5 * 60_000;

interface Looked {
  readonly view: RotationView;
  readonly steps: readonly RootStep[];
}

/**
 * Drives roots from state to state: what was asked for goes on by itself, also after a restart and whichever replica does it, one transaction a step. See `decideSteps` for what holds a step up.
 */
export function createRootRotation(parts: RootRotationParts): RunningRotation {
  const { authorities, store, settings, clock, timers, log } = parts;
  const nowMillis = createCautiousClock(clock);
  let fault: string | undefined;
  const nextIssuer = createNextIssuer(clock.monotonicMillis);
  let lastSteps: readonly RootStep[] = [];
  let firstBreakMillis: number | undefined;
  let forecastAtMillis = Number.NEGATIVE_INFINITY;
  let closed = false;

  const waiversOf = async (rootKeyId: string | undefined) =>
    (await store.rootWaivers()).filter((waiver) => waiver.rootKeyId === rootKeyId);
  /** `whole`: with the certificates in use, whether or not they hold anything up. */
  const viewNow = async (whole: boolean): Promise<RotationView> => {
    const moment = nowMillis();
    const { bundle } = authorities.current();
    const roots = viewRoots(authorities.loaded());
    const waivers = await waiversOf(nextRoot(roots.roots)?.keyId);
    const isForecastDue = Math.abs(moment - forecastAtMillis) >= forecastMillis;
    const isWhole = whole || isForecastDue || roots.roots.some(({ state }) => movingStates.has(state));
    const certificates = isWhole ? await readCertificates(store, moment - settings.skewMillis) : [];
    const view = {
      ...roots,
      bundle: { sequence: bundle.sequence, version: bundleVersion(bundle) },
      certificates,
      streams: parts.streams(),
      waived: new Set(waivers.map(({ spiffeId }) => spiffeId)),
      selfTest: nextIssuer.selfTest(),
      nowMillis: moment,
      settings,
    };
    if (isForecastDue) {
      forecastAtMillis = moment;
      firstBreakMillis = forecast(view).ends?.firstMillis;
    }
    return view;
  };
  const look = async (): Promise<Looked> => {
    const view = await viewNow(false);
    lastSteps = decideSteps(view);
    return { view, steps: lastSteps };
  };
  const goOn = async (context: AuthorityContext, state: AuthorityState): Promise<Looked> => {
    for (let i = 0; ; i++) {
      await state.reload();
      const issuerKeyId = await nextIssuer.test(context, state);
      const looked = await look();
      const step = looked.steps.find(({ heldUpBy }) => heldUpBy.length === 0);
      if (step === undefined || i === mostSteps) return looked;
      try {
        await takeStep(context, state, { ...step, issuerKeyId, by: "rotation" });
        if (step.to === "active") parts.onActivated();
      } catch (thrown) {
        // Another replica was first: what it did is seen at the next look.
        if (!(thrown instanceof CodedError) || thrown.code !== "ca-store/conflict") throw thrown;
      }
    }
  };
  const statusOf = async ({ view, steps }: Looked): Promise<RotationStatus> => ({
    roots: view.roots,
    bundle: view.bundle,
    steps,
    waivers: await waiversOf(nextRoot(view.roots)?.keyId),
    fault,
  });
  const changing = (change: (context: AuthorityContext, state: AuthorityState) => Promise<void>) =>
    authorities.change(async (context, state) => {
      await state.reload();
      await change(context, state);
      return statusOf(await goOn(context, state));
    });
  const reading = <T>(read: () => Promise<T>) =>
    authorities.change(async (_context, state) => {
      await state.reload();
      return read();
    });
  const record = (action: string, keyId: string, by: string, more: Readonly<Record<string, number>> = {}) =>
    store.recordEvent({ kind: "root-rotation", atMillis: clock.nowMillis(), body: { action, keyId, by, ...more } });

  const lookAfter = () =>
    authorities.change(async (context, state) => {
      const begunMillis = clock.monotonicMillis();
      try {
        await goOn(context, state);
        lookedForMillis = clock.monotonicMillis() - begunMillis;
        fault = undefined;
      } catch (thrown) {
        fault = messageOf(thrown);
        throw thrown;
      }
    });
  const lookOrTell = () =>
    lookAfter().catch((thrown: unknown) =>
      log.warn({ reason: messageOf(thrown) }, "the replacement of the root cannot go on"),
    );
  let cancel = () => {};
  const schedule = () => {
    if (closed) return;
    cancel = timers.after(settings.lookMillis, () => void lookOrTell().finally(schedule));
  };
  let cancelSoon: (() => void) | undefined;
  let lookedForMillis = 0;
  schedule();

  return {
    lookAfter,
    lookSoon() {
      if (closed || cancelSoon !== undefined || nextRoot(viewRoots(authorities.loaded()).roots) === undefined) return;
      cancelSoon = timers.after(Math.max(soonMillis, soonTimes * lookedForMillis), () => {
        cancelSoon = undefined;
        void lookOrTell();
      });
    },
    rotate: (by) =>
      changing(async (context, state) => {
        const known = nextRoot(state.loaded.roots.map(({ record: each }) => each));
        await record("rotate", known?.keyId ?? "", by);
        if (known === undefined) await makeRoot(context, state);
      }),
    status: () => reading(async () => statusOf(await look())),
    abort: (by) =>
      changing(async (context, state) => {
        const { roots } = viewRoots(state.loaded);
        const root = nextRoot(roots);
        if (root === undefined) throw nothingToAbort(roots.some(({ state: each }) => each === "retiring"));
        await record("abort", root.keyId, by);
        const { keyId: rootKeyId, state: from } = root;
        await takeStep(context, state, { rootKeyId, from, to: "retired", issuerKeyId: undefined, by });
      }),
    waive: (spiffeId, reason, by) =>
      changing(async () => {
        const { view, steps } = await look();
        const root = nextRoot(view.roots);
        if (root === undefined)
          throw new CodedError("ca-rotation/none", "no root is on its way that waits for anybody");
        const holds = steps.find(({ rootKeyId }) => rootKeyId === root.keyId)?.heldUpBy ?? [];
        if (!holds.some((hold) => "spiffeId" in hold && hold.spiffeId === spiffeId) && !view.waived.has(spiffeId))
          throw new CodedError("ca-rotation/not-waited-for", "the identity holds nothing up: nothing is to be waived");
        await store.addRootWaiver({ rootKeyId: root.keyId, spiffeId, atMillis: clock.nowMillis(), by, reason });
        log.warn({ root: root.keyId, spiffeId, reason, by }, "a new root does not wait for an identity");
      }),
    plan: (remove) => reading(async () => planEmergency(await viewNow(true), remove)),
    force: (confirmation, remove, by) =>
      changing(async (context, state) => {
        const view = await viewNow(true);
        const plan = planEmergency(view, remove);
        if (confirmation !== plan.confirmation)
          throw new CodedError(
            "ca-rotation/confirmation",
            "the text is not the one that the plan asks for, or the plan is another by now: look at it again",
          );
        const { rootKeyId, action, identities } = plan;
        await record(`force-${action}`, rootKeyId, by, { identities });
        log.warn({ root: rootKeyId, action, identities, by }, "a root is forced into its next state");
        const from = view.roots.find(({ keyId }) => keyId === rootKeyId)!.state;
        if (action === "remove") {
          // ORDER: tainted first: from there on it goes by itself, whatever happens to this program.
          if (from !== "tainted")
            await takeStep(context, state, { rootKeyId, from, to: "tainted", issuerKeyId: undefined, by });
          return;
        }
        const issuerKeyId = await testedIssuer(context, state, rootKeyId);
        await takeStep(context, state, { rootKeyId, from, to: "active", issuerKeyId, by });
        parts.onActivated();
      }),
    forecast: () => reading(async () => forecast(await viewNow(true))),
    summary() {
      const { roots } = viewRoots(authorities.loaded());
      return summarize({ roots, steps: lastSteps, firstBreakMillis, fault, nowMillis: clock.nowMillis() });
    },
    close() {
      closed = true;
      cancel();
      cancelSoon?.();
    },
  };
}

/** States of roots for which it matters who has which certificate. */
const movingStates: ReadonlySet<RootState> = new Set(["published", "propagated", "retiring"]);

function nothingToAbort(isRetiring: boolean): CodedError {
  return isRetiring
    ? new CodedError(
        "ca-rotation/too-late",
        "the new root is in force, and certificates stand under it: `garita ca root rotate` replaces it by another",
      )
    : new CodedError("ca-rotation/none", "no root is on its way");
}
