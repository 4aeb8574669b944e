import type { BuildResult } from "../build.ts";

/** The newest commit, where it was found wrong: for what it is, after the commit that was taken before, on the word of the signers of then. */
export interface RefusedCommit {
  /** What was found; undefined where it has to be looked at, for it is another commit, another one was taken before, or the signers are others. */
  find(question: RefusedQuestion): BuildResult | undefined;
  remember(question: RefusedQuestion, result: BuildResult): void;
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

export function createRefusedCommit(nowMillis: () => number): RefusedCommit {
  let refused: (RefusedQuestion & { readonly result: BuildResult; readonly sinceMillis: number }) | undefined;
  return {
    find({ commit, known, mark }) {
      if (refused?.commit !== commit || refused.known !== known || refused.mark !== mark) return undefined;
      const { result, sinceMillis } = refused;
      const isOfSigners = result.kind === "failed" && result.code === "git/signature";
      return isOfSigners && Math.abs(nowMillis() - sinceMillis) >= signatureMillis ? undefined : result;
    },
    remember(question, result) {
      refused = { ...question, result, sinceMillis: nowMillis() };
    },
    forget() {
      refused = undefined;
    },
  };
}
