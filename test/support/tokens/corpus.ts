import { algorithmCorpus } from "./corpus-algorithms.ts";
import { keySetCorpus } from "./corpus-key-sets.ts";
import { signatureCorpus } from "./corpus-signatures.ts";
import { textCorpus } from "./corpus-text.ts";
import { makeTestKeys } from "./test-keys.ts";

/** A token and the text of the set that it is verified with. */
export interface CorpusToken {
  /** Unique in the corpus, and equal in every run. */
  readonly name: string;
  /** A byte string. */
  readonly token: string;
  readonly jwks: string;
}

/**
 * Tokens good and bad, in the manner of Wycheproof: every algorithm and every way to tamper with it, keys of other types, odd texts, odd key
 * sets. Keys and signatures are fresh in every run; the names are not.
 */
export function* tokenCorpus(): Generator<CorpusToken> {
  const keys = makeTestKeys();
  yield* signatureCorpus(keys);
  yield* algorithmCorpus(keys);
  yield* textCorpus(keys);
  yield* keySetCorpus(keys);
}
