import type { BuildResult } from "../build.ts";

/** The newest commit, where it could not be taken: for what it is, after the commit that was taken before, on the word of the signers of then; or for another reason. */
export interface RefusedCommit {
  /**
   * What was found; undefined where it has to be looked at, for it is another commit, another one was taken before, or the signers are others. `byPoll`: nobody has asked. What is
   * no verdict is then found too: polls go on, and come back to such a commit ever more seldom.
   */
  find(question: RefusedQuestion, byPoll: boolean): BuildResult | undefined;
  /** `isVerdict`: the commit has this fault however often it is read. */
  remember(question: RefusedQuestion, result: BuildResult, isVerdict: boolean): void;
  forget(): void;
}

export interface RefusedQuestion {
  readonly commit: string;
  /** The newest commit that was taken. */
  readonly known: string | undefined;
  /** Of the signers. */
  readonly mark: string | undefined;
}

/** A signature is also a matter of the clock, which may have been wrong: so much later, by the clock of then, it is looked at again. */
const signatureMillis = 10 * 60_000;

/** `waitMillis`: after so many failures in a row that are no verdicts. */
export function createRefusedCommit(nowMillis: () => number, waitMillis: (failures: number) => number): RefusedCommit {
  let refused: Refused | undefined;
  const isAsked = ({ commit, known, mark }: RefusedQuestion) =>
    refused?.commit === commit && refused.known === known && refused.mark === mark;
  return {
    find(question, byPoll) {
      if (refused === undefined || !isAsked(question) || (!refused.isVerdict && !byPoll)) return undefined;
      const { result, sinceMillis, lastsMillis } = refused;
      return Math.abs(nowMillis() - sinceMillis) >= lastsMillis ? undefined : result;
    },
    remember(question, result, isVerdict) {
      const failures = isVerdict ? 0 : 1 + (isAsked(question) ? refused!.failures : 0);
      const lastsMillis = isVerdict ? verdictMillis(result) : waitMillis(failures);
      refused = { ...question, result, isVerdict, failures, sinceMillis: nowMillis(), lastsMillis };
    },
    forget() {
      refused = undefined;
    },
  };
}

interface Refused extends RefusedQuestion {
  readonly result: BuildResult;
  readonly isVerdict: boolean;
  readonly failures: number;
  readonly sinceMillis: number;
  readonly lastsMillis: number;
}

function verdictMillis(result: BuildResult): number {
  return result.kind === "failed" && result.code === "git/signature" ? signatureMillis : Number.POSITIVE_INFINITY;
}
