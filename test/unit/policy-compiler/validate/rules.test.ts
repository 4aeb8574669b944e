import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { diagnosticCodes } from "#policy-compiler/source/codes";
import type { Finding } from "#policy-compiler/source/diagnostic";
import { rules } from "#policy-compiler/validate/rules";
import { validateDocuments } from "#policy-compiler/validate/validate";
import { extensionCases } from "./extension-cases.ts";
import { registrationCases } from "./registration-cases.ts";
import { besides, type RuleCase, ruleCases } from "./rule-cases.ts";

const cases = [...ruleCases, ...extensionCases, ...registrationCases];

interface Validated {
  readonly text: string;
  readonly findings: readonly Finding[];
}

function validate(
  kind: string,
  spec: string,
  annotations: string,
  { own, mesh, registry }: Pick<RuleCase, "own" | "mesh" | "registry">,
): Validated {
  const text = `apiVersion: ${own ? "garita.dev/v1alpha1" : "security.istio.io/v1"}
kind: ${kind}
metadata: {name: p, namespace: foo, annotations: {${annotations}}}
spec: {${spec}}
`;
  const files = [{ path: "p.yaml", text }, ...besides({ mesh, registry })].map(({ path, text: content }) => ({
    path,
    bytes: new TextEncoder().encode(content),
  }));
  const decoded = decodeDocuments(files, {});
  assert.deepEqual(
    decoded.findings.filter(({ file }) => file === "p.yaml"),
    [],
    "the case must decode, or it says nothing about validation",
  );
  return { text, findings: validateDocuments(decoded.documents) };
}

function checkBad(row: RuleCase): void {
  const { text, findings } = validate(row.kind ?? "AuthorizationPolicy", row.bad, row.annotations ?? "", row);
  // The other file of a case may be at fault with it.
  const ours = findings
    .filter(({ code, file }) => code === row.code && file === "p.yaml")
    .toSorted((a, b) => a.span.start - b.span.start);
  assert.deepEqual(
    ours.map(({ span }) => text.slice(span.start, span.end)),
    row.underlined,
  );
  if (row.says !== undefined) assert.ok(`${ours[0]?.message} ${ours[0]?.help}`.includes(row.says), ours[0]?.message);
  for (const { message, help } of ours) {
    // Of an expression its compiler speaks, whose own tests look at its sentences.
    if (row.code.startsWith("condition/")) assert.match(message, /^[^\n]+[^.\n]$/u);
    else assert.match(message, /^expected .*[^.]$/u, "one line, lower case, no full stop");
    assert.match(help ?? "x", /^[^\n]*[^.]$/u);
  }
}

function checkGood(row: RuleCase): void {
  const { findings } = validate(
    row.goodKind ?? row.kind ?? "AuthorizationPolicy",
    row.good,
    row.goodAnnotations ?? row.annotations ?? "",
    { own: row.goodOwn ?? row.own ?? false, mesh: row.goodMesh ?? row.mesh, registry: row.registry },
  );
  assert.deepEqual(
    findings.filter(({ code }) => code === row.code),
    [],
  );
}

describe("the rules of validation", () => {
  for (const [i, row] of cases.entries()) {
    it(`${row.code} (${i}): finds the fault and underlines it`, () => checkBad(row));
    it(`${row.code} (${i}): has nothing against its twin`, () => checkGood(row));
  }

  it("are all in the cases, and all cases are of rules", () => {
    const inTable = new Set(rules.map(({ code }) => code));
    const inCases = new Set(cases.map(({ code }) => code));
    assert.deepEqual([...inTable].toSorted(), [...inCases].toSorted());
  });

  it("have every code of their areas", () => {
    const inTable = new Set<string>(rules.map(({ code }) => code));
    const areas = [
      "metadata/",
      "placement/",
      "policy/",
      "jwt/",
      "peer/",
      "lint/",
      "crd/",
      "condition/",
      "response/",
      "registration/",
    ];
    const unused = Object.keys(diagnosticCodes).filter(
      (code) => areas.some((area) => code.startsWith(area)) && !inTable.has(code),
    );
    assert.deepEqual(unused, []);
  });
});
