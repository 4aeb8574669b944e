import type { Attribute, FieldTest, TextTest, ValueTest } from "#policy-compiler/ruleset/model";
import type { Random } from "#test/support/random";
import { words } from "./words.ts";

/** A random pattern that words of a list often pass: the whole word, a part of its beginning or end, or presence. */
export function textTest(random: Random, from: readonly string[]): TextTest {
  const word = random.pick(from);
  const cut = random.int(0, word.length);
  switch (random.int(0, 9)) {
    case 0:
      return { op: "present" };
    case 1:
    case 2:
      return { op: "prefix", text: word.slice(0, cut) };
    case 3:
    case 4:
      return { op: "suffix", text: word.slice(cut) };
    default:
      return { op: "exact", text: word };
  }
}

/** A random field on an attribute of any kind. `httpOnly`: whether the compiler would drop it on TCP. */
export function fieldTest(random: Random): { readonly field: FieldTest; readonly httpOnly: boolean } {
  const { attribute, value, httpOnly } = random.pick(kinds)(random);
  const shape = random.int(0, 5);
  const values = shape === 0 ? [] : random.list(1, shape === 1 ? 12 : 3, value);
  const notValues = shape === 0 || random.chance(0.15) ? random.list(1, 2, value) : [];
  const field: FieldTest = {
    field: attribute.kind,
    attribute,
    values,
    notValues,
    texts: values.map((test) => JSON.stringify(test)),
    notTexts: notValues.map((test) => JSON.stringify(test)),
  };
  return { field, httpOnly };
}

interface Kind {
  readonly attribute: Attribute;
  readonly httpOnly: boolean;
  readonly value: () => ValueTest;
}

const kinds: readonly ((random: Random) => Kind)[] = [
  (random) => ({ attribute: { kind: "host" }, httpOnly: true, value: text(random, words.hosts) }),
  (random) => ({ attribute: { kind: "method" }, httpOnly: true, value: text(random, words.methods) }),
  (random) => ({ attribute: { kind: "path" }, httpOnly: true, value: () => pathValue(random) }),
  (random) => ({ attribute: { kind: "path" }, httpOnly: true, value: () => pathValue(random) }),
  (random) => ({
    attribute: { kind: "port" },
    httpOnly: false,
    value: () => ({ kind: "port", port: random.pick(words.ports) }),
  }),
  (random) => ({
    attribute: { kind: random.pick(["peerAddress", "remoteAddress", "destinationAddress"] as const) },
    httpOnly: false,
    value: () => block(random),
  }),
  (random) => ({ attribute: { kind: "identity" }, httpOnly: false, value: () => identityValue(random) }),
  (random) => ({ attribute: { kind: "identity" }, httpOnly: false, value: () => identityValue(random) }),
  (random) => ({ attribute: { kind: "identity" }, httpOnly: false, value: () => identityValue(random) }),
  (random) => ({
    attribute: { kind: "requestPrincipal" },
    httpOnly: true,
    value: () => ({
      kind: "requestPrincipal",
      iss: textTest(random, words.claimTexts),
      sub: textTest(random, words.claimTexts),
    }),
  }),
  (random) => ({
    attribute: { kind: "header", name: random.pick(words.headerNames) },
    httpOnly: true,
    value: text(random, words.headerValues),
  }),
  (random) => ({
    attribute: { kind: "header", name: random.pick(words.headerNames) },
    httpOnly: true,
    value: text(random, words.headerValues),
  }),
  (random) => ({
    attribute: { kind: "claim", path: random.pick(words.claimPaths) },
    httpOnly: true,
    value: text(random, words.claimTexts),
  }),
  (random) => ({ attribute: { kind: "sni" }, httpOnly: false, value: text(random, words.snis) }),
  (random) => {
    const [namespace, key] = random.pick(words.metadataKeys);
    return {
      attribute: { kind: "metadata", namespace, key },
      httpOnly: false,
      value: () => ({ kind: "metadata", list: random.chance(0.5), test: textTest(random, words.metadataTexts) }),
    };
  },
];

function text(random: Random, from: readonly string[]): () => ValueTest {
  return () => ({ kind: "text", test: textTest(random, from) });
}

function pathValue(random: Random): ValueTest {
  if (random.chance(0.6)) return { kind: "text", test: textTest(random, words.paths) };
  return template(random);
}

/** Segments of a known path, some turned into globs: as validation lets pass, and now and then as it does not. */
export function template(random: Random): Extract<ValueTest, { kind: "template" }> {
  const pieces: string[] = [""];
  const globs: ("*" | "**")[] = [];
  const wild = random.chance(0.2);
  let open = true;
  const segments = random.pick(words.paths).split("/").slice(1);
  segments.forEach((segment, i) => {
    const slash = wild && random.chance(0.3) ? "" : "/";
    pieces[pieces.length - 1] += slash;
    const glob = (open || wild) && random.chance(0.5) ? random.pick(["*", "**"] as const) : undefined;
    if (glob === undefined) pieces[pieces.length - 1] += segment;
    else {
      globs.push(glob);
      pieces.push(wild && i === segments.length - 1 ? segment.slice(1) : "");
      if (glob === "**") open = false;
    }
  });
  return { kind: "template", pieces, globs };
}

function block(random: Random): ValueTest {
  const bytes = random.pick(words.addresses);
  const prefixLength = random.chance(0.3) ? bytes.length * 8 : random.int(0, bytes.length * 8);
  const masked = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixLength - 8 * i))) & 0xff);
  return { kind: "cidr", bytes: masked, prefixLength };
}

/** A random value of `principals`, `namespaces`, `serviceAccounts` or `trustDomains`. */
function identityValue(random: Random): ValueTest {
  switch (random.int(0, 5)) {
    case 0:
    case 1: {
      const test = textTest(random, words.identities);
      // Exact texts and prefixes carry the scheme, as the compiler writes them.
      if (test.op === "present" || test.op === "suffix") return { kind: "principal", test };
      const written = test.text.startsWith("spiffe://") ? test.text : `spiffe://${test.text}`;
      return { kind: "principal", test: { op: test.op, text: written } };
    }
    case 2:
      return { kind: "namespace", pieces: random.list(1, 3, () => random.pick(words.namespaces)) };
    case 3:
      return { kind: "serviceAccount", namespace: random.pick(words.namespaces), name: random.pick(words.accounts) };
    case 4:
      return { kind: "trustDomain", op: "exact", text: random.pick(words.trustDomains) };
    default:
      if (random.chance(0.2)) return { kind: "trustDomain", op: "any" };
      return random.chance(0.5)
        ? { kind: "trustDomain", op: "star", before: random.pick(words.trustDomains), after: "" }
        : {
            kind: "trustDomain",
            op: "star",
            before: "",
            after: random.pick(["1", "d1", "d1/ns", "td2", "\u00a9", ""]),
          };
  }
}
