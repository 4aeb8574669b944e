import { join } from "node:path";
import type { Clock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import type { Timers } from "#platform/timers";
import type { BuildResult, RuleSource } from "../build.ts";
import { createBuilder } from "../builder.ts";
import { createPoll, nextPollMillis } from "../poll.ts";
import { checkToken } from "./check-token.ts";
import { createPins } from "./create-pins.ts";
import { fetchCommit, fetchHistory } from "./fetch-commit.ts";
import { isVerdict, isVerdictUnread } from "./is-verdict.ts";
import { judgeTests } from "./judge-tests.ts";
import { createKnownCommit } from "./known-commit.ts";
import { createLastRun } from "./last-run.ts";
import { mendMirror } from "./mend-mirror.ts";
import { createProgramThread } from "./program-thread.ts";
import { createRefusedCommit } from "./refused-commit.ts";
import { askRemote, describeRepository, type GitParts } from "./repository.ts";
import type { GitSettings, Revision } from "./settings.ts";
import { takeCommit } from "./take-commit.ts";
import { takePinned } from "./take-pinned.ts";
import { readTrustedSigners, type TrustedSigners } from "./trusted-signers.ts";
import { withFolder } from "./with-folder.ts";

export interface GitSourceParts {
  readonly settings: GitSettings;
  /** Environment of the program. */
  readonly outside: Readonly<Record<string, string | undefined>>;
  /** URL of the module that runs policy tests. */
  readonly testModule: string;
  readonly clock: Clock;
  readonly timers: Timers;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
}

function failureOf(fault: unknown): BuildResult & { readonly kind: "failed" } {
  const code = fault instanceof CodedError ? fault.code : "source/compiler";
  return { kind: "failed", code, message: messageOf(fault) };
}

const startPatienceMillis = 10_000;

/**
 * Policies in a Git repository. Asks, fetches, verifies, reads by commit and compiles; a commit that is in force, or that was found wrong, is not compiled again. Before
 * the first commit is in force, what was kept of the last run stands in for one that cannot be had. Fails with `git/argument`.
 */
export function gitSource({ settings, outside, testModule, ...parts }: GitSourceParts): RuleSource {
  const { clock, timers, log } = parts;
  const repository = describeRepository(settings, outside);
  const builder = createBuilder(timers);
  const programs = createProgramThread();
  const ending = new AbortController();
  const git: GitParts = { timers, signal: ending.signal, start: programs.start };
  const refused = createRefusedCommit(clock.nowMillis, (failures) =>
    nextPollMillis(settings.pollMillis, failures, parts.random),
  );
  let trust: string | undefined;
  /** Of the signers whose word the commit in force was taken on; undefined: none was asked for, or it is of the last run. */
  let takenOn: string | undefined;
  /** What is built is the newest commit, and not what is pinned. */
  let isNewest = false;
  let warnings: readonly string[] = [];
  /** A good signature looks like another's when the key ring is damaged. */
  let signersDoubted = false;
  let isFirst = true;
  /** At the start requests wait too: with the rules of the last run at hand a silent host, or a folder that others have, is not waited for as long as later. */
  const patienceMillis = () =>
    isFirst && lastRun.commit() !== undefined
      ? Math.min(settings.timeoutMillis, startPatienceMillis)
      : settings.timeoutMillis;
  let hasAnswered = false;
  const ask = async () => {
    const asked = await askRemote({ ...repository, timeoutMillis: patienceMillis() }, git);
    hasAnswered = true;
    return asked;
  };

  const name = `git ${repository.url} ${repository.reference}${settings.path === "" ? "" : ` ${settings.path}`}`;
  const { signatures } = settings;
  const lastRun = createLastRun({ repository, signatures, source: name, nowMillis: clock.nowMillis, log });
  const lock = { file: join(repository.folder, "lock"), clock, timers };
  const noted = createKnownCommit(repository, git, lock);
  const pins = createPins({ repository, source: name, clock, log, noted: noted.read });
  const poll = createPoll({
    pollMillis: settings.pollMillis,
    clock,
    timers,
    random: parts.random,
    /** No later than a pin ends. */
    mostMillis() {
      const pinned = pins.current();
      return pinned === undefined ? Number.POSITIVE_INFINITY : pinned.untilMillis - clock.nowMillis();
    },
  });
  /** The newest commit that was taken, which others have to come from. */
  const knownBy = async (inForce: Revision | undefined) =>
    pins.known() ?? inForce?.commit ?? lastRun.commit() ?? (await noted.read());
  const fetchParts = (asked: string, known: string | undefined) => ({
    ...git,
    maxMirrorBytes: settings.maxMirrorBytes,
    asked,
    known,
  });

  const compile = async (revision: Revision): Promise<BuildResult> => {
    const { tests: wanted } = settings;
    const module = wanted === "ignore" ? undefined : testModule;
    const result = await builder.build({ kind: "commit", repository, commit: revision.commit, testModule: module });
    // Thrown, so that the mirror is mended first.
    if (result.kind === "failed" && (result.code === "git/mirror" || result.code === "git/absent"))
      throw new CodedError(result.code, result.message);
    if (result.kind === "unchanged") return result;
    if (result.kind !== "built") return { ...result, revision };
    const judged = judgeTests(result, revision, wanted);
    if (judged.result.kind === "built") warnings = judged.warnings;
    return judged.result;
  };

  const readSigners = async (): Promise<TrustedSigners | undefined> => {
    const signers = signatures && (await readTrustedSigners(repository, signatures, git, signersDoubted));
    signersDoubted = false;
    trust = signers?.mark;
    return signers;
  };

  const orAnew = (take: () => Promise<BuildResult>, before: () => Promise<unknown> = async () => undefined) =>
    mendMirror(repository, take, async ({ code, message }) => {
      await before();
      log.warn({ source: name, code }, `the mirror is made anew: ${message}`);
    });

  /** `inForce`: where the wanted one is that, and the signers are those of then, it is not looked at again. */
  const attemptPinned = async (wanted: string, known: string | undefined, inForce?: Revision): Promise<BuildResult> => {
    isNewest = false;
    const signers = await readSigners();
    if (wanted === inForce?.commit && takenOn === trust) return { kind: "unchanged" };
    const bring = async () => {
      await checkToken(settings.credentials);
      const asking = fetchParts(await ask(), known);
      await fetchCommit(repository, asking);
      await fetchHistory(repository, asking);
    };
    const take = async () => compile(await takePinned(repository, { wanted, known, git, signers, bring }));
    // Without Git a damaged mirror is all that there is.
    return orAnew(take, ask);
  };

  const attempt = async (
    inForce: Revision | undefined,
    known: string | undefined,
    byPoll: boolean,
  ): Promise<BuildResult> => {
    isNewest = true;
    await checkToken(settings.credentials);
    const isRingNew = signersDoubted;
    const signers = await readSigners();
    const asked = await ask();
    // ORDER: before what is in force: it may be of the last run, and refused by now.
    const question = { commit: asked, known, mark: trust };
    const before = refused.find(question, byPoll);
    if (before !== undefined) return before;
    const isVouched = takenOn === trust;
    if (asked === inForce?.commit && asked === known && isVouched) return { kind: "unchanged" };
    const rules = {
      allowForced: settings.allowForced,
      signatures: signatures && signers && { mode: signatures.mode, signers },
      onFetched: (commit: string) => {
        fetched = commit;
      },
    };
    /** What is judged: the remote may have gone on since it was asked. */
    let fetched: string | undefined;
    const take = async () => {
      fetched = undefined;
      const revision = await takeCommit(repository, fetchParts(asked, known), rules);
      if (revision.commit === inForce?.commit) {
        // git takes nothing over a cut in the remote's own history, and calls that a success.
        if (asked !== inForce.commit)
          throw new CodedError("git/mirror", `the remote names ${asked}, and the mirror still has ${inForce.commit}`);
        if (isVouched) return { kind: "unchanged" } as const;
      }
      const result = await compile(revision);
      if (result.kind === "built" || result.kind === "unchanged") refused.forget();
      else refused.remember({ ...question, commit: revision.commit }, result, isVerdict(result));
      return result;
    };
    try {
      return await orAnew(take);
    } catch (fault) {
      const failure = failureOf(fault);
      const isOfCommit = fetched !== undefined && isVerdictUnread(failure.code);
      // Nothing else of it was read.
      const result = isOfCommit ? { ...failure, revision: { commit: fetched!, signer: undefined } } : failure;
      // The key ring may be what is wrong: it is made anew before that is said of a commit.
      if (result.code === "git/signature" && signatures?.openpgpKeysFile !== undefined && !isRingNew) {
        signersDoubted = true;
        return result;
      }
      refused.remember({ ...question, commit: fetched ?? asked }, result, isOfCommit);
      return result;
    }
  };

  const forgetPin = () =>
    pins.forget().catch((fault: unknown) => {
      log.warn({ source: name }, `a pin that has ended cannot be removed: ${messageOf(fault)}`);
    });

  /** With the folder to itself. Never rejects. */
  const alone = async (build: () => Promise<BuildResult>): Promise<BuildResult> => {
    try {
      return await withFolder(repository, { ...lock, patienceMillis: 2 * patienceMillis() }, build);
    } catch (fault) {
      const result = failureOf(fault);
      signersDoubted ||= result.code === "git/signature";
      return result;
    }
  };

  const tryAttempt = async (inForce: Revision | undefined, byPoll: boolean): Promise<BuildResult> => {
    hasAnswered = false;
    // ORDER: before the folder is had to itself: what was kept stands in for a folder that cannot be had, too.
    if (inForce === undefined) await lastRun.read();
    const result = await alone(async () => {
      await pins.renew();
      const pin = pins.current();
      const known = await knownBy(inForce);
      const built =
        pin === undefined ? await attempt(inForce, known, byPoll) : await attemptPinned(pin.commit, known, inForce);
      if (built.kind === "unchanged" && pin === undefined) {
        await forgetPin();
        await lastRun.confirm();
      }
      return built;
    });
    isFirst = false;
    const isUnknown = result.kind === "failed" && result.code === "git/unknown-reference";
    poll.note(hasAnswered || isUnknown || result.kind !== "failed" || isVerdict(result));
    return result;
  };

  return {
    name,
    async build(inForce, isAsked = false) {
      const result = await tryAttempt(inForce, !isAsked);
      poll.plan();
      return (inForce === undefined ? await lastRun.standIn(result) : undefined) ?? result;
    },
    async accepted(built) {
      const { revision, fallback } = built;
      if (revision === undefined || fallback !== undefined) return;
      takenOn = trust;
      if (isNewest) await forgetPin();
      await lastRun.keep(built, revision, trust);
      await noted.note(pins.known() ?? revision.commit);
    },
    pins: {
      build: (commit, inForce) =>
        alone(async () => {
          await pins.renew();
          return attemptPinned(commit, await knownBy(inForce));
        }),
      async keep(pin, inForce) {
        await pins.keep({ ...pin, known: await knownBy(inForce) });
        poll.plan();
      },
      end: () => pins.end(),
      current: pins.current,
    },
    nextAttemptMillis: poll.nextMillis,
    warnings: () => [...warnings, ...lastRun.warnings()],
    watch: poll.watch,
    async close() {
      ending.abort();
      poll.close();
      await Promise.all([builder.close(), programs.close()]);
    },
  };
}
