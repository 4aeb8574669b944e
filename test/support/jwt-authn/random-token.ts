import type { Random } from "#test/support/random";
import { goodClaims } from "./claims.ts";
import { draftFaults, edgeFaults, type FaultContext } from "./draft-faults.ts";
import type { SigningKey, SigningScheme } from "./keys.ts";
import type { RuleDraft } from "./random-policies.ts";
import { textFaults } from "./text-faults.ts";
import { signDraft, type TokenDraft } from "./token-draft.ts";

export interface TokenSources {
  /** Unix seconds. */
  readonly now: number;
  /** Whoever reads the tokens does it at `now` to the second. */
  readonly clockStands: boolean;
  readonly known: readonly SigningKey[];
  readonly foreign: readonly SigningKey[];
}

/** A token and what is odd about it: a name of a fault, or `good`. */
export interface MadeToken {
  readonly text: string;
  readonly story: string;
}

/** Of a hundred tokens, those that have a fault before they are signed, and those that get one afterwards. */
const draftFaultPercent = 16;
const textFaultPercent = 9;

/** A token for a rule: mostly good, else with one fault. */
export function randomToken(random: Random, to: RuleDraft, sources: TokenSources): MadeToken {
  const { now, clockStands, known, foreign } = sources;
  const context: FaultContext = { random, now, audiences: to.rule.audiences ?? [], known, foreign };
  const draft = goodDraft(random, to, sources);
  const percent = random.int(0, 99);
  if (percent < draftFaultPercent) {
    const [story, fault] = random.pick(Object.entries({ ...draftFaults, ...(clockStands ? edgeFaults : {}) }));
    fault(draft, context);
    return { text: signDraft(draft), story };
  }
  const text = signDraft(draft);
  if (percent >= draftFaultPercent + textFaultPercent) return { text, story: "good" };
  const [story, fault] = random.pick(Object.entries(textFaults));
  return { text: fault(text, draft, context), story };
}

function goodDraft(random: Random, { rule, keySet }: RuleDraft, sources: TokenSources): TokenDraft {
  const published = keySet.keys.length === 0 ? undefined : random.pick(keySet.keys);
  const key = published?.key ?? random.pick(sources.foreign);
  const [algorithm, scheme] = algorithmOf(random, key, published?.alg);
  const kid = published?.kid ?? (random.chance(0.5) ? key.name : undefined);
  const header: (readonly [string, string])[] = [["alg", JSON.stringify(algorithm)]];
  if (kid !== undefined && random.chance(0.8)) header.push(["kid", JSON.stringify(kid)]);
  if (random.chance(0.7)) header.push(["typ", '"JWT"']);
  if (random.chance(0.1)) header.reverse();
  return { header, payload: goodClaims(random, rule, sources.now), key, scheme };
}

function algorithmOf(random: Random, key: SigningKey, alg: string | undefined): readonly [string, SigningScheme] {
  const fitting = Object.entries(key.algorithms).filter(([name]) => alg === undefined || name === alg);
  return random.pick(fitting);
}
