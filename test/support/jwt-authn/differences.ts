import type { CaseAnswer, RequestCase, Setting } from "../cases/case.ts";
import { type Difference, differences, wantedOf } from "../cases/compare-answers.ts";
import type { Recorded } from "./observe.ts";

/**
 * In what an answer differs from what Envoy made of the case. DIVERGENCE: when Envoy takes a token out of the query it decodes and
 * sorts the rest; Garita leaves the rest as it was. So there, and only there, the query counts as a multiset of decoded pairs.
 */
export function differencesFromEnvoy(
  { case: line, setting }: { readonly case: RequestCase; readonly setting: Setting },
  { expect, targetEdited }: Recorded,
  answer: CaseAnswer,
): readonly Difference[] {
  const wanted = wantedOf({ type: "request", case: { ...line, expect }, setting }) ?? {};
  const found = differences(targetEdited ? decoded(wanted) : wanted, targetEdited ? decoded(answer) : answer);
  const [got, path] = [answer.upstream?.path, expect.upstream?.path];
  if (targetEdited || got === undefined || path === undefined || got === path) return found;
  return [...found, { field: "upstream.path", wanted: path, got }];
}

/** With the query decoded to bytes, of which Envoy's own is made. */
function decoded<T extends { readonly upstream?: CaseAnswer["upstream"] }>(answer: T): T {
  const { upstream } = answer;
  if (upstream === undefined) return answer;
  const cut = upstream.path.indexOf("?");
  if (cut < 0) return answer;
  const query = upstream.path
    .slice(cut)
    .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return { ...answer, upstream: { ...upstream, path: upstream.path.slice(0, cut) + query } };
}
