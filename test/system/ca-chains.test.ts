import assert from "node:assert/strict";
import { test } from "node:test";
import { keyKinds } from "#ca/x509/contract";
import { readCertificate } from "#ca/x509/read-certificate";
import { verifySvid } from "#ca/x509/verify-svid";
import { makeTestKeys } from "#test/support/ca/chain-certificates";
import { type ChainCase, makeChains, tools } from "#test/support/ca/chains";
import { makeOpensslChain } from "#test/support/ca/openssl-chain";
import { findValidators } from "#test/support/ca/validators";

const validators = await findValidators();
const keys = await makeTestKeys();

async function everyChain(): Promise<readonly ChainCase[]> {
  const made: ChainCase[] = [];
  for (const kind of keyKinds) {
    const { chain, anchor } = await makeOpensslChain(kind, keys);
    made.push({ name: `made by OpenSSL with ${kind}`, chain, bundles: { "mesh.example": [anchor] }, expected: "ok" });
  }
  return [...makeChains(keys, Date.now()), ...made];
}

function ourVerdict({ chain, bundles }: ChainCase): string {
  const anchors = (trustDomain: string) =>
    bundles[trustDomain]?.flatMap((der) => {
      const read = readCertificate(der);
      return read.ok ? [read.value] : [];
    });
  const verdict = verifySvid(chain, anchors, Date.now());
  return verdict.ok ? "ok" : verdict.reason;
}

for (const tool of tools) {
  test(`${tool} judges chains as we do, but where the table says otherwise`, async (t) => {
    const validator = validators[tool];
    // The pipeline installs all three: there a missing one is a fault, not a reason to look away.
    if (validator === undefined && process.env["CI"] !== undefined) assert.fail(`${tool} is not installed`);
    if (validator === undefined) return t.skip(`${tool} is not installed`);
    const chains = await everyChain();
    const verdicts = await validator(chains);
    assert.equal(verdicts.length, chains.length);
    const different: string[] = [];
    for (const [i, each] of chains.entries()) {
      const ours = ourVerdict(each);
      assert.equal(ours, each.expected, each.name);
      const { accepts, said } = verdicts[i]!;
      const differs = accepts !== (ours === "ok");
      const mayDiffer = each.others?.tools.includes(tool) === true;
      if (differs !== mayDiffer)
        different.push(`${each.name}: we say ${ours}, ${tool} ${accepts ? "accepts" : "refuses"}: ${said.trim()}`);
    }
    assert.deepEqual(different, []);
  });
}
