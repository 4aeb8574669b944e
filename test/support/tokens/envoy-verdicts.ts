import type { CorpusToken } from "./corpus.ts";
import { NO_KEYS } from "./our-verdict.ts";
import { KEY_SET_REFUSED, startTokenEnvoy } from "./token-envoy.ts";

/** What a real Envoy says of each: the reason why not; "" when the token is good, `NO_KEYS` when it takes no key out of the set. */
export async function envoyVerdicts(binary: string, corpus: readonly CorpusToken[]): Promise<readonly string[]> {
  const sets = [...new Set(corpus.map(({ jwks }) => jwks))];
  const places = new Map(sets.map((set, i) => [set, i]));
  const envoy = await startTokenEnvoy(binary, sets);
  try {
    const verdicts: string[] = [];
    for (const { name, token, jwks } of corpus) {
      const { status, body } = await envoy.verify(places.get(jwks)!, token);
      if (status !== (body === "" ? 200 : 401)) throw new Error(`${name}: status ${status} with ${body}`);
      verdicts.push(body === KEY_SET_REFUSED ? NO_KEYS : body);
    }
    return verdicts;
  } finally {
    await envoy.stop();
  }
}
