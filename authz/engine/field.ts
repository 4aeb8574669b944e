import type { Attribute, ByteString, FieldTest, TextTest, ValueTest } from "#policy-compiler/ruleset/model";
import { inBlock } from "#policy-compiler/ruleset/patterns/in-block";
import { templateMatcher } from "#policy-compiler/ruleset/patterns/path-template";
import { type Maybe, type RequestAttributes, UNKNOWN } from "./attributes.ts";
import { and, FALSE, not, or, TRUE, type Truth, UNSURE } from "./kleene.ts";
import { testClaim, testRequestPrincipal } from "./leaves/claims.ts";
import { testHeader } from "./leaves/header-lines.ts";
import { identityMatcher, testIdentity } from "./leaves/identity.ts";
import { testMetadata } from "./leaves/metadata.ts";
import { foldAscii, matchesPresent, matchesText } from "./leaves/text.ts";

/** A test of a request, made ready once. */
export type Predicate = (request: RequestAttributes) => Truth;

/** A field with its two halves apart, for those who explain. An empty list of values has no half. */
export interface CompiledField {
  readonly test: Predicate;
  readonly values: Predicate | undefined;
  readonly notValues: Predicate | undefined;
}

/** Makes a field ready: (no values, or one matches) and not (one of notValues matches), in Kleene's logic. */
export function compileField(field: FieldTest): CompiledField {
  const values = field.values.length === 0 ? undefined : anyValue(field.attribute, field.values);
  const unwanted = field.notValues.length === 0 ? undefined : anyValue(field.attribute, field.notValues);
  const notValues = unwanted && ((request: RequestAttributes) => not(unwanted(request)));
  if (values === undefined) return { test: notValues ?? holds, values, notValues };
  if (notValues === undefined) return { test: values, values, notValues };
  const test = (request: RequestAttributes) => {
    const wanted = values(request);
    return wanted === FALSE ? FALSE : and(wanted, notValues(request));
  };
  return { test, values, notValues };
}

const holds: Predicate = () => TRUE;

/** Does one of the values match? */
function anyValue(attribute: Attribute, values: readonly ValueTest[]): Predicate {
  switch (attribute.kind) {
    case "host":
      return onText(anyText(values, matchesPresent), (request) => folded(request.http?.host));
    case "method":
      return onText(anyText(values, matchesPresent), (request) => request.http?.method);
    case "path":
      return onText(anyText(values, matchesText), (request) => request.http?.path);
    case "sni":
      return onText(anyText(values, matchesText), (request) => request.sni);
    case "port":
      return anyPort(values);
    case "peerAddress":
    case "remoteAddress":
    case "destinationAddress":
      return anyBlock(attribute.kind, values);
    case "identity":
      return anyIdentity(values);
    case "header":
      return anyOf(
        values,
        "text",
        ({ test }) =>
          (request) =>
            testHeader(test, request.http?.headers.get(attribute.name)),
      );
    case "claim":
      return anyOf(
        values,
        "text",
        ({ test }) =>
          (request) =>
            testClaim(test, attribute.path, request.claims),
      );
    case "requestPrincipal":
      return anyOf(
        values,
        "requestPrincipal",
        ({ iss, sub }) =>
          (request) =>
            testRequestPrincipal(iss, sub, request.claims),
      );
    case "metadata":
      return anyOf(
        values,
        "metadata",
        ({ list, test }) =>
          (request) =>
            testMetadata(list, test, request.metadata(attribute.namespace, attribute.key)),
      );
  }
}

/** INVARIANT: the compiler gives an attribute only tests that it takes; a test that does not fit would be unsure (law 2). */
const misfit: Predicate = () => UNSURE;

function anyOf<K extends ValueTest["kind"]>(
  values: readonly ValueTest[],
  kind: K,
  make: (value: Extract<ValueTest, { kind: K }>) => Predicate,
): Predicate {
  const fits = (value: ValueTest): value is Extract<ValueTest, { kind: K }> => value.kind === kind;
  const tests = values.map((value) => (fits(value) ? make(value) : misfit));
  const only = tests[0];
  if (tests.length === 1 && only !== undefined) return only;
  return (request) => {
    let result: Truth = FALSE;
    for (const test of tests) {
      result = or(result, test(request));
      if (result === TRUE) return TRUE;
    }
    return result;
  };
}

function folded(host: Maybe<ByteString>): Maybe<ByteString> {
  return typeof host === "string" ? foldAscii(host) : host;
}

function onText(test: (text: ByteString) => Truth, read: (request: RequestAttributes) => Maybe<ByteString>): Predicate {
  return (request) => {
    const text = read(request);
    return typeof text === "string" ? test(text) : text === UNKNOWN ? UNSURE : FALSE;
  };
}

/** Exact texts are one look-up, however many; the others are tried in turn. */
function anyText(
  values: readonly ValueTest[],
  matches: (test: TextTest, text: ByteString) => boolean,
): (text: ByteString) => Truth {
  const exact = new Set<ByteString>();
  const others: ((text: ByteString) => boolean)[] = [];
  let fallback: Truth = FALSE;
  for (const value of values) {
    if (value.kind === "text") {
      const test = value.test;
      if (test.op === "exact") exact.add(test.text);
      else others.push((text) => matches(test, text));
    } else if (value.kind === "template") others.push(templateMatcher(value.pieces, value.globs));
    else fallback = UNSURE;
  }
  if (others.length === 0 && exact.size === 1) {
    const [only] = exact;
    return (text) => (text === only ? TRUE : fallback);
  }
  const isExact = oneOf(exact);
  if (others.length === 0) return (text) => (isExact(text) ? TRUE : fallback);
  return (text) => {
    if (isExact(text)) return TRUE;
    for (const other of others) if (other(text)) return TRUE;
    return fallback;
  };
}

/** PERF: a text of a request is new each time, and comparing it with a few others is cheaper than hashing it (`bench/grpc.ts`). */
const COMPARED = 8;

function oneOf(texts: ReadonlySet<ByteString>): (text: ByteString) => boolean {
  if (texts.size > COMPARED) return (text) => texts.has(text);
  const few = [...texts];
  return (text) => {
    for (let i = 0; i < few.length; i++) if (few[i] === text) return true;
    return false;
  };
}

function anyPort(values: readonly ValueTest[]): Predicate {
  const ports = new Set<number>();
  let fallback: Truth = FALSE;
  for (const value of values) {
    if (value.kind === "port") ports.add(value.port);
    else fallback = UNSURE;
  }
  return ({ destinationPort }) =>
    destinationPort === UNKNOWN
      ? UNSURE
      : destinationPort !== undefined && ports.has(destinationPort)
        ? TRUE
        : fallback;
}

function anyBlock(
  kind: "peerAddress" | "remoteAddress" | "destinationAddress",
  values: readonly ValueTest[],
): Predicate {
  return anyOf(values, "cidr", ({ bytes, prefixLength }) => (request) => {
    const address = request[kind];
    if (address === UNKNOWN) return UNSURE;
    return address !== undefined && inBlock(address, bytes, prefixLength) ? TRUE : FALSE;
  });
}

function anyIdentity(values: readonly ValueTest[]): Predicate {
  const exact = new Set<ByteString>();
  const tests: Predicate[] = [];
  for (const value of values) {
    switch (value.kind) {
      case "principal":
      case "namespace":
      case "serviceAccount":
      case "trustDomain": {
        if (value.kind === "principal" && value.test.op === "exact") exact.add(value.test.text);
        const matcher = identityMatcher(value);
        tests.push((request) => testIdentity(matcher, request.peer));
        break;
      }
      default:
        tests.push(misfit);
    }
  }
  const isExact = oneOf(exact);
  const onlyExact = values.every((value) => value.kind === "principal" && value.test.op === "exact");
  return (request) => {
    const peer = request.peer;
    if (peer === undefined) return FALSE;
    if (peer !== UNKNOWN && exact.size > 0) {
      for (const name of peer.names) if (isExact(name)) return TRUE;
      // Every name is known, and none is asked for.
      if (onlyExact && peer.complete && peer.opaque.length === 0) return FALSE;
    }
    let result: Truth = FALSE;
    for (const test of tests) {
      result = or(result, test(request));
      if (result === TRUE) return TRUE;
    }
    return result;
  };
}
