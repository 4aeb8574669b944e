import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { readKeySet as readAsEnvoy } from "#identity/key-set/read-key-set";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { type DiagnosticCode, diagnosticCodes } from "#policy-compiler/source/codes";
import { parseHttpUri } from "#policy-compiler/validate/jwks-uri";
import { readKeySet } from "#policy-compiler/validate/key-set/read";
import { validateDocuments } from "#policy-compiler/validate/validate";

function readCases<T>(name: string): readonly T[] {
  const text = gunzipSync(readFileSync(new URL(name, import.meta.url))).toString("utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

interface PolicyCase {
  readonly name: string;
  readonly policy: unknown;
  readonly expect: { readonly valid: boolean; readonly errors: readonly string[]; readonly warnings: readonly string[] };
}

/** The codes of Istio's own rules that an object breaks, decoding included. */
function istioCodes(policy: unknown): readonly DiagnosticCode[] {
  const bytes = new TextEncoder().encode(JSON.stringify(policy));
  const { documents, findings } = decodeDocuments([{ path: "policy.json", bytes }], { istioLax: true });
  const codes = [...findings, ...validateDocuments(documents)].map(({ code }) => code);
  return codes.filter((code) => diagnosticCodes[code].origin === "istio");
}

/** Istio's warnings, by words that stand in each once. */
const warnings: readonly { readonly code: DiagnosticCode; readonly words: string }[] = [
  { code: "policy/deny-widens-on-tcp", words: "will deny all traffic to TCP ports" },
  { code: "placement/no-labels", words: "workload selector specified without labels" },
  { code: "jwt/private-key", words: "contains private key material" },
];

/** Istio judges nothing more of an object that it cannot decode, or whose annotations it refuses. We do. */
function stopsIstio(codes: readonly DiagnosticCode[], errors: readonly string[]): boolean {
  return errors.some((error) => error.startsWith("decode:")) || codes.some((code) => code.startsWith("metadata/"));
}

for (const file of ["recorded.jsonl.gz", "generated.jsonl.gz"]) {
  describe(`Istio's verdicts on policies, ${file}`, () => {
    const judged = readCases<PolicyCase>(file).map((row) => ({ ...row, codes: istioCodes(row.policy) }));

    it("are ours", () => {
      const wrong = judged.filter(({ codes, expect }) => {
        const valid = !codes.some((code) => diagnosticCodes[code].severity === "error");
        return valid !== expect.valid;
      });
      assert.deepEqual(
        wrong.map(({ name, codes }) => ({ name, codes })),
        [],
      );
      assert.ok(judged.length > 400);
    });

    for (const { code, words } of warnings) {
      it(`warn as often: ${code}`, () => {
        const compared = judged.filter(({ codes, expect }) => !stopsIstio(codes, expect.errors));
        const counts = compared.map(({ name, codes, expect }) => ({
          name,
          ours: codes.filter((found) => found === code).length,
          istios: expect.warnings.join("\n").split(words).length - 1,
        }));
        assert.deepEqual(
          counts.filter(({ ours, istios }) => ours !== istios),
          [],
        );
        assert.ok(counts.some(({ istios }) => istios > 0));
      });
    }
  });
}

interface KeySetCase {
  readonly jwks: string;
  readonly istio: boolean;
  readonly secret?: readonly number[];
  readonly envoy?: boolean;
}

describe("verdicts on inline key sets", () => {
  const cases = readCases<KeySetCase>("../../corpora/key-sets.jsonl.gz");

  it("are Istio's, as to their form and their secrets", () => {
    for (const { jwks, istio, secret } of cases) {
      const read = readKeySet(jwks);
      assert.equal(read.ok, istio, jwks);
      if (read.ok) assert.deepEqual([...read.keys.keys()].filter((i) => read.keys[i]?.secret === true), secret, jwks);
    }
  });

  it("are Envoy's, as to their use", () => {
    const asked = cases.filter(({ envoy }) => envoy !== undefined);
    for (const { jwks, envoy } of asked) assert.equal(readAsEnvoy(jwks).ok, envoy, jwks);
    assert.ok(asked.length >= 600 && asked.some(({ envoy }) => envoy) && asked.some(({ envoy }) => !envoy));
  });
});

describe("verdicts on jwksUri", () => {
  it("are those of Go", () => {
    const cases = readCases<{ uri: string; valid: boolean }>("../../corpora/jwks-uris.jsonl.gz");
    const wrong = cases.filter(({ uri, valid }) => parseHttpUri(uri).ok !== valid);
    assert.deepEqual(wrong, []);
    assert.ok(cases.some(({ valid }) => valid));
  });
});
