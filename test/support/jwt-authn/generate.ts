import type { PolicySetLine, RequestCase } from "../cases/case.ts";
import type { Random } from "../generate/random.ts";
import { createKeyRing } from "./keys.ts";
import { randomPolicies } from "./random-policies.ts";
import { randomRequest } from "./random-request.ts";

export interface GeneratedCase {
  readonly setting: PolicySetLine;
  /** Names its set, and the present as its `now`. */
  readonly case: RequestCase;
  /** Of each token, its fault or `good`. */
  readonly stories: readonly string[];
}

/**
 * Policy sets with requests whose tokens are signed with keys made for this run, until there are so many tokens. About half of
 * the requests come through. Unless the clock stands (`clockStands`), times keep half a minute away from where they begin to count. Equal seeds give equal policies and requests, but for keys and signatures.
 */
export function generateCases(
  random: Random,
  {
    tokens,
    now,
    clockStands = false,
  }: { readonly tokens: number; readonly now: number; readonly clockStands?: boolean },
): readonly GeneratedCase[] {
  const ring = createKeyRing();
  const sources = { now, clockStands, ...ring };
  const cases: GeneratedCase[] = [];
  let made = 0;
  for (let ordinal = 0; made < tokens; ordinal++) {
    const draft = randomPolicies(random, `g${ordinal}`, ring.known);
    for (let i = 0; i < 12; i++) {
      const { request, tokens: placed } = randomRequest(random, draft, sources);
      made += placed.length;
      cases.push({
        setting: draft.set,
        case: { name: `g${ordinal}-${i}`, use: draft.set.policySet, now, request },
        stories: placed.map(({ story }) => story),
      });
    }
  }
  return cases;
}
