import assert from "node:assert/strict";
import { test } from "node:test";
import { compareDocuments } from "#policy-compiler/compare/compare-documents";
import { compile, type SourceFile } from "#policy-compiler/compile";
import { decodeDocuments } from "#policy-compiler/document/decode-documents";
import { everyKind, type Json } from "#test/support/generate/every-kind";

/** Of texts that are not free: another one that is valid. */
const other: Readonly<Record<string, Json>> = {
  STRICT: "PERMISSIVE",
  DISABLE: "STRICT",
  PERMISSIVE: "STRICT",
  ALLOW: "DENY",
  DENY: "ALLOW",
  CUSTOM: "DENY",
  HTTP: "GRPC",
  GRPC: "HTTP",
  STATIC: "DNS",
  MESH_INTERNAL: "MESH_EXTERNAL",
  MERGE_SLASHES: "NONE",
  http: "grpc",
  true: "false",
  "1h": "30m",
  "2h": "3h",
  "1s": "2s",
  "5s": "6s",
  "80": "82",
  "81": "83",
  "P-256": "RSA-2048",
  "P-384": "RSA-2048",
  "503": "502",
  "2026-01-01T00:00:00Z": "2026-01-02T00:00:00Z",
  "a/b": "a/x",
  "a/c": "a/y",
  v1: "v2",
};

/** Everything that one small edit makes of a value. */
function* edits(value: Json): Generator<Json> {
  if (typeof value === "boolean") yield !value;
  else if (typeof value === "number") yield value + 1;
  else if (typeof value === "string") {
    yield other[value] ?? `${value}x`;
    yield value.replace(/\d+(?=\D*$)/, (digits) => String(Number(digits) + 1));
  } else if (isList(value)) {
    for (const [i, item] of value.entries()) {
      yield value.toSpliced(i, 1);
      for (const edited of edits(item)) yield value.with(i, edited);
    }
  } else if (value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const { [name]: _, ...rest } = value;
      yield rest;
      for (const edited of edits(item)) yield { ...value, [name]: edited };
    }
  }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function filesOf(folder: { readonly [file: string]: Json }): SourceFile[] {
  return Object.entries(folder).map(([path, document]) => ({
    path,
    bytes: new TextEncoder().encode(JSON.stringify(document)),
  }));
}

/** What is compiled, without the places where it was written and without what is made of the rest. */
function compiled(files: readonly SourceFile[]): string | undefined {
  const { ruleSet } = compile(files, {});
  if (ruleSet === undefined) return undefined;
  const { index: _, ...rest } = ruleSet;
  return JSON.stringify(rest, (name, value) => (name === "origin" ? undefined : value));
}

for (const [file, document] of Object.entries(everyKind)) {
  test(`no edit of ${file} that changes the compiled rules is no difference`, () => {
    const before = filesOf(everyKind);
    const old = compiled(before);
    assert.ok(old, JSON.stringify(compile(before, {}).diagnostics.filter(({ severity }) => severity === "error")));
    let told = 0;
    for (const edited of edits(document)) {
      const after = filesOf({ ...everyKind, [file]: edited });
      const now = compiled(after);
      if (now === undefined || now === old) continue;
      const changes = compareDocuments(decodeDocuments(before, {}), decodeDocuments(after, {}));
      assert.ok(changes.length > 0, JSON.stringify(edited));
      told++;
    }
    assert.ok(told > 3, `too few edits are valid: ${told}`);
  });
}
