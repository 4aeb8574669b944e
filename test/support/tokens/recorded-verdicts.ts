import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

export const recordFile = new URL("../../corpora/token-verdicts.json.gz", import.meta.url);

/** What a real Envoy said of the tokens of the corpus, by name. */
export function recordedVerdicts(): ReadonlyMap<string, string> {
  return new Map(Object.entries(JSON.parse(gunzipSync(readFileSync(recordFile)).toString("utf8"))));
}

/**
 * Where we refuse what Envoy takes. A key of small order has no private half: Envoy takes a signature by it that anybody can make, and the
 * cryptography of Node takes none.
 */
export function isRefusedByUsAlone(name: string): boolean {
  return name.startsWith("EdDSA: a key of small order");
}
