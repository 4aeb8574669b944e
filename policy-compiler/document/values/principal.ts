import { toByteString } from "#policy-compiler/ruleset/byte-string";
import type { TextTest, ValueTest } from "#policy-compiler/ruleset/model";
import { parseTextPattern } from "./text-pattern.ts";

const scheme = "spiffe://";

/**
 * A value of `principals` or `source.principal`, which is written without its scheme: the test for the whole identity.
 * `exact` and `prefix` carry the scheme; a `suffix` is what must stand at the end of an identity that begins with it.
 * A value that an author wrote with the scheme gets a second one, as Istio does, and so matches nothing. Total.
 */
export function parsePrincipal(text: string): ValueTest {
  return { kind: "principal", test: withScheme(parseTextPattern(text)) };
}

function withScheme(test: TextTest): TextTest {
  return test.op === "exact" || test.op === "prefix" ? { op: test.op, text: scheme + test.text } : test;
}

/** A value of `namespaces` or `source.namespace`: stars may stand anywhere, any number of them. Total. */
export function parseNamespacePattern(text: string): ValueTest {
  return { kind: "namespace", pieces: text.split("*").map(toByteString) };
}
