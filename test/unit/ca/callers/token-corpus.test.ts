import assert from "node:assert/strict";
import { it } from "node:test";
import { createTokenMethod } from "#ca/callers/token";
import { prepareTokenIssuers } from "#ca/callers/token-issuers";
import { createTokenVerifier } from "#identity/token/verify";
import { createSignatureVerifier } from "#platform/signature-verifier";
import { keysOfText } from "#test/support/ca/caller-tokens";
import { isTakenByCarefulReader } from "#test/support/tokens/careful-reader";
import { tokenCorpus } from "#test/support/tokens/corpus";

it("nothing of the corpus of tokens proves a caller that a careful reader would refuse, and no secret signs", async () => {
  const issuers = prepareTokenIssuers([{ issuer: "issuer", audiences: undefined, keys: { kind: "inline", text: "" } }]);
  const verifyToken = createTokenVerifier(createSignatureVerifier());
  const taken: string[] = [];
  const wrong: string[] = [];
  let seen = 0;
  for (const one of tokenCorpus()) {
    const state = keysOfText(one.jwks);
    const method = createTokenMethod({
      issuers: () => issuers,
      keySets: () => ({ of: () => state }),
      missed: () => undefined,
      verifyToken,
    });
    seen++;
    if (!(await method(one.token, Date.now())).ok) continue;
    taken.push(one.name);
    if (one.name.startsWith("HS") || !(await isTakenByCarefulReader(one))) wrong.push(one.name);
  }
  assert.deepEqual(wrong, []);
  for (const alg of ["RS256", "RS512", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"]) {
    assert.ok(
      taken.some((name) => name.startsWith(alg)),
      `nothing of ${alg} was taken of ${seen}`,
    );
  }
});
