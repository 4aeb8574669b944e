import assert from "node:assert/strict";
import { test } from "node:test";
import { type Claims, type PeerNames, type RequestAttributes, UNKNOWN } from "#authz/engine/attributes";
import { compileField } from "#authz/engine/field";
import type { Attribute, FieldTest, TextTest, ValueTest } from "#policy-compiler/ruleset/model";
import { absent, http, over } from "#test/support/generate/requests";
import { words } from "#test/support/generate/words";
import { naiveField } from "#test/support/oracle/naive-field";

/** What a leaf says: yes, no, or unknown. */
type Says = "yes" | "no" | "unknown";
const says = ["no", "unknown", "yes"] as const;

function field(attribute: Attribute, values: readonly ValueTest[], notValues: readonly ValueTest[] = []): FieldTest {
  return { field: attribute.kind, attribute, values, notValues, texts: [], notTexts: [] };
}

function leaf(attribute: Attribute, value: ValueTest, request: RequestAttributes): Says {
  return says[compileField(field(attribute, [value])).test(request)];
}

const exact = (text: string): ValueTest => ({ kind: "text", test: { op: "exact", text } });
const prefix = (text: string): ValueTest => ({ kind: "text", test: { op: "prefix", text } });
const suffix = (text: string): ValueTest => ({ kind: "text", test: { op: "suffix", text } });
const present: ValueTest = { kind: "text", test: { op: "present" } };
const host: Attribute = { kind: "host" };
const method: Attribute = { kind: "method" };
const path: Attribute = { kind: "path" };
const sni: Attribute = { kind: "sni" };
const xT: Attribute = { kind: "header", name: "x-t" };
const identity: Attribute = { kind: "identity" };

const onHttp: readonly [
  name: string,
  attribute: Attribute,
  value: ValueTest,
  request: RequestAttributes,
  says: Says,
][] = [
  ["host folds the authority", host, exact("example.com"), http({ host: "EXAMPLE.Com" }), "yes"],
  ["host folds ASCII alone", host, exact("\u00e9.com"), http({ host: "\u00c9.com" }), "no"],
  ["host keeps the port", host, exact("example.com"), http({ host: "example.com:8080" }), "no"],
  ["host keeps the trailing dot", host, exact("example.com"), http({ host: "example.com." }), "no"],
  ["host suffix has its dot", host, suffix(".example.com"), http({ host: "example.com" }), "no"],
  ["host suffix fits within a label", host, suffix("example.com"), http({ host: "notexample.com" }), "yes"],
  ["host star asks for presence", host, present, http({ host: "" }), "yes"],
  ["host absent", host, present, http({ host: undefined }), "no"],
  ["host unknown", host, exact("a"), http({ host: UNKNOWN }), "unknown"],
  ["host unknown, star", host, present, http({ host: UNKNOWN }), "unknown"],
  ["host on TCP", host, present, absent, "no"],
  ["method keeps case", method, exact("get"), http({ method: "GET" }), "no"],
  ["method prefix", method, prefix("P"), http({ method: "PUT" }), "yes"],
  ["path star wants text", path, present, http({ path: "" }), "no"],
  ["path star", path, present, http({ path: "/" }), "yes"],
  ["path star, newline", path, present, http({ path: "/a\nb" }), "no"],
  ["path keeps case", path, exact("/Admin"), http({ path: "/admin" }), "no"],
  ["path prefix has no segments", path, prefix("/admin"), http({ path: "/administrator" }), "yes"],
  ["path slash counts", path, exact("/admin"), http({ path: "/admin/" }), "no"],
  ["path unknown", path, prefix("/"), http({ path: UNKNOWN }), "unknown"],
  ["sni exact", sni, exact("x.com"), over({ sni: "x.com" }), "yes"],
  ["sni star wants text", sni, present, over({ sni: "" }), "no"],
  ["sni absent", sni, present, over({ sni: undefined }), "no"],
  ["sni unknown", sni, exact("x"), over({ sni: UNKNOWN }), "unknown"],
  ["port", { kind: "port" }, { kind: "port", port: 80 }, over({ destinationPort: 80 }), "yes"],
  ["another port", { kind: "port" }, { kind: "port", port: 80 }, over({ destinationPort: 8080 }), "no"],
  ["port unknown", { kind: "port" }, { kind: "port", port: 80 }, over({ destinationPort: UNKNOWN }), "unknown"],
  ["port absent", { kind: "port" }, { kind: "port", port: 80 }, over({ destinationPort: undefined }), "no"],
];

const header = (lines: readonly string[], joined = false) => http({}, new Map([["x-t", { lines, joined }]]));
const onHeaders: typeof onHttp = [
  ["header absent", xT, present, http({}), "no"],
  ["header on TCP", xT, present, absent, "no"],
  ["header star, empty line", xT, present, header([""]), "yes"],
  ["header second line", xT, exact("admin"), header(["user", "admin"]), "yes"],
  ["header line is not split", xT, exact("a"), header(["a,b"]), "no"],
  ["header lines are not joined", xT, exact("a,b"), header(["a", "b"]), "no"],
  ["joined, no comma", xT, exact("a"), header(["a"], true), "yes"],
  ["joined, no comma, other", xT, exact("b"), header(["a"], true), "no"],
  ["joined, star", xT, present, header(["a,b"], true), "yes"],
  ["joined, one line or two", xT, exact("a"), header(["a,b"], true), "unknown"],
  ["joined, whole or apart", xT, exact("a,b"), header(["a,b"], true), "unknown"],
  ["joined, in the middle", xT, exact("b"), header(["a,b,c"], true), "unknown"],
  ["joined, two of three", xT, exact("b,c"), header(["a,b,c"], true), "unknown"],
  ["joined, not at commas", xT, exact("dmin"), header(["admin,user"], true), "no"],
  ["joined, nowhere", xT, exact("x"), header(["a,b"], true), "no"],
  ["joined, blanks belong to the line", xT, exact("b"), header(["a, b"], true), "no"],
  ["joined, empty line", xT, exact(""), header(["a,"], true), "unknown"],
  ["joined, first line begins so in any way", xT, prefix("ad"), header(["admin,user"], true), "yes"],
  ["joined, a later line may begin so", xT, prefix("us"), header(["admin,user"], true), "unknown"],
  ["joined, prefix over a comma", xT, prefix("admin,u"), header(["admin,user"], true), "unknown"],
  ["joined, no line begins so", xT, prefix("min"), header(["admin,user"], true), "no"],
  ["joined, last line ends so in any way", xT, suffix("er"), header(["admin,user"], true), "yes"],
  ["joined, an earlier line may end so", xT, suffix("min"), header(["admin,user"], true), "unknown"],
  ["joined, suffix over a comma", xT, suffix("n,user"), header(["admin,user"], true), "unknown"],
  ["joined, no line ends so", xT, suffix("use"), header(["admin,user"], true), "no"],
  [
    "pseudo header",
    { kind: "header", name: ":path" },
    suffix("?q"),
    http({}, new Map([[":path", { lines: ["/?q"], joined: false }]])),
    "yes",
  ],
];

const peer = (peer: RequestAttributes["peer"]) => over({ peer });
const named = (...names: string[]): PeerNames => ({ names, opaque: [], complete: true });
const web = "spiffe://td1/ns/foo/sa/web";
const principal = (test: TextTest): ValueTest => ({ kind: "principal", test });
const namespace = (...pieces: string[]): ValueTest => ({ kind: "namespace", pieces });
const account = (ns: string, name: string): ValueTest => ({ kind: "serviceAccount", namespace: ns, name });
const star: ValueTest = principal({ op: "present" });
const onIdentities: typeof onHttp = [
  ["principal", identity, principal({ op: "exact", text: web }), peer(named(web)), "yes"],
  ["principal, second name", identity, principal({ op: "exact", text: web }), peer(named("dns", web)), "yes"],
  ["principal, no peer", identity, star, peer(undefined), "no"],
  ["principal, no names", identity, star, peer(named()), "no"],
  ["principal, unknown peer", identity, star, peer(UNKNOWN), "unknown"],
  ["principal star, any name", identity, star, peer(named("CN=x")), "yes"],
  ["principal star, empty subject", identity, star, peer(named("")), "no"],
  [
    "principal suffix wants the scheme",
    identity,
    principal({ op: "suffix", text: "/web" }),
    peer(named("x/web")),
    "no",
  ],
  ["principal suffix", identity, principal({ op: "suffix", text: "/web" }), peer(named(web)), "yes"],
  [
    "principal suffix, newline",
    identity,
    principal({ op: "suffix", text: "/web" }),
    peer(named("spiffe://a\n/web")),
    "no",
  ],
  [
    "names not all known",
    identity,
    principal({ op: "exact", text: "spiffe://x" }),
    peer({ ...named(web), complete: false }),
    "unknown",
  ],
  [
    "names not all known, one fits",
    identity,
    principal({ op: "exact", text: web }),
    peer({ ...named(web), complete: false }),
    "yes",
  ],
  ["joined names, star", identity, star, peer({ names: [], opaque: ["a,b"], complete: true }), "yes"],
  [
    "joined names, text in it",
    identity,
    principal({ op: "exact", text: web }),
    peer({ names: [], opaque: [`${web},x`], complete: true }),
    "unknown",
  ],
  [
    "joined names, text not in it",
    identity,
    principal({ op: "exact", text: web }),
    peer({ names: [], opaque: ["x,y"], complete: true }),
    "no",
  ],
  [
    "joined names, part of the literals",
    identity,
    namespace("foo"),
    peer({ names: [], opaque: ["/ns/fox,x"], complete: true }),
    "no",
  ],
  [
    "joined names, namespace in it",
    identity,
    namespace("foo"),
    peer({ names: [], opaque: [`${web},x`], complete: true }),
    "unknown",
  ],
  [
    "joined names, star of namespaces",
    identity,
    namespace("", ""),
    peer({ names: [], opaque: [`${web},x`], complete: true }),
    "unknown",
  ],
  ["namespace, any trust domain", identity, namespace("foo"), peer(named("spiffe://other/ns/foo/sa/x")), "yes"],
  ["namespace is quoted", identity, namespace("f.o"), peer(named("spiffe://td1/ns/fxo/sa/x")), "no"],
  ["namespace wants a slash behind", identity, namespace("foo"), peer(named("spiffe://td1/ns/foo")), "no"],
  ["namespace star crosses slashes", identity, namespace("a", "b"), peer(named("spiffe://td1/ns/a/x/b/")), "yes"],
  ["account", identity, account("foo", "web"), peer(named(web)), "yes"],
  ["account, other namespace", identity, account("bar", "web"), peer(named(web)), "no"],
  ["account, more behind", identity, account("foo", "web"), peer(named(`${web}/x`)), "yes"],
  ["account, slash behind", identity, account("foo", "web"), peer(named(`${web}/`)), "no"],
  ["account, longer name", identity, account("foo", "web"), peer(named(`${web}2`)), "no"],
  ["account, more between", identity, account("foo", "web"), peer(named("spiffe://td1/ns/foo/x/sa/web")), "yes"],
  ["account, empty between", identity, account("foo", "web"), peer(named("spiffe://td1/ns/foo//sa/web")), "no"],
  ["account, no trust domain", identity, account("foo", "web"), peer(named("spiffe:///ns/foo/sa/web")), "no"],
  ["trust domain", identity, { kind: "trustDomain", op: "exact", text: "td1" }, peer(named(web)), "yes"],
  ["trust domain, longer", identity, { kind: "trustDomain", op: "exact", text: "td" }, peer(named(web)), "no"],
  [
    "trust domain prefix",
    identity,
    { kind: "trustDomain", op: "star", before: "t", after: "" },
    peer(named(web)),
    "yes",
  ],
  [
    "trust domain suffix",
    identity,
    { kind: "trustDomain", op: "star", before: "", after: "1" },
    peer(named(web)),
    "yes",
  ],
  [
    "trust domain star stops at a slash",
    identity,
    { kind: "trustDomain", op: "star", before: "", after: "foo" },
    peer(named(web)),
    "no",
  ],
  ["trust domain any", identity, { kind: "trustDomain", op: "any" }, peer(named("spiffe://x")), "yes"],
  ["trust domain any, no SPIFFE ID", identity, { kind: "trustDomain", op: "any" }, peer(named("dns.name")), "no"],
];

const claims = (claims: RequestAttributes["claims"]) => over({ claims });
const groups: Attribute = { kind: "claim", path: ["groups"] };
const nested: Attribute = { kind: "claim", path: ["a", "b.c"] };
const requestPrincipal = (iss: TextTest, sub: TextTest): ValueTest => ({ kind: "requestPrincipal", iss, sub });
const token = (token: Claims) => claims(token);
const any: TextTest = { op: "present" };
const metadata = (value: ReturnType<RequestAttributes["metadata"]>) => over({ metadata: () => value });
const meta: Attribute = { kind: "metadata", namespace: "n", key: "k" };
const onClaims: typeof onHttp = [
  ["claim string", groups, exact("a"), token({ groups: "a" }), "yes"],
  ["claim list", groups, exact("a"), token({ groups: ["b", "a"] }), "yes"],
  ["claim list in list", groups, exact("a"), token({ groups: [["a"]] }), "no"],
  ["claim boolean", groups, exact("true"), token({ groups: true }), "no"],
  ["claim number", groups, exact("1"), token({ groups: 1 }), "no"],
  ["claim null", groups, present, token({ groups: null }), "no"],
  ["claim object", groups, present, token({ groups: {} }), "no"],
  ["claim star, empty", groups, present, token({ groups: "" }), "no"],
  ["claim star, newline", groups, present, token({ groups: "a\n" }), "no"],
  ["claim star, some text in a list", groups, present, token({ groups: ["", "a"] }), "yes"],
  ["claim missing", groups, present, token({}), "no"],
  ["claim, no token", groups, present, claims(undefined), "no"],
  ["claim, tokens not looked at", groups, present, claims(UNKNOWN), "unknown"],
  ["nested claim with a dot", nested, exact("x"), token({ a: { "b.c": "x" } }), "yes"],
  ["nested claim, step into a string", nested, exact("x"), token({ a: "x" }), "no"],
  ["nested claim, step into a list", { kind: "claim", path: ["a", "0"] }, exact("x"), token({ a: ["x"] }), "no"],
  [
    "claim of the prototype",
    { kind: "claim", path: ["__proto__", "x"] },
    present,
    token(Object.create({ x: "y" })),
    "no",
  ],
  [
    "request principal",
    { kind: "requestPrincipal" },
    requestPrincipal({ op: "exact", text: "i" }, { op: "exact", text: "s" }),
    token({ iss: "i", sub: "s" }),
    "yes",
  ],
  [
    "request principal star, no sub",
    { kind: "requestPrincipal" },
    requestPrincipal(any, any),
    token({ iss: "i" }),
    "no",
  ],
  [
    "request principal star",
    { kind: "requestPrincipal" },
    requestPrincipal(any, any),
    token({ iss: "i", sub: "s" }),
    "yes",
  ],
  [
    "request principal, sub is a list",
    { kind: "requestPrincipal" },
    requestPrincipal(any, any),
    token({ iss: "i", sub: ["s"] }),
    "no",
  ],
  [
    "request principal, empty sub",
    { kind: "requestPrincipal" },
    requestPrincipal(any, { op: "exact", text: "" }),
    token({ iss: "i", sub: "" }),
    "yes",
  ],
  ["request principal, no token", { kind: "requestPrincipal" }, requestPrincipal(any, any), claims(undefined), "no"],
  ["request principal, unknown", { kind: "requestPrincipal" }, requestPrincipal(any, any), claims(UNKNOWN), "unknown"],
  ["metadata", meta, { kind: "metadata", list: false, test: { op: "exact", text: "v" } }, metadata("v"), "yes"],
  [
    "metadata, list wanted",
    meta,
    { kind: "metadata", list: true, test: { op: "exact", text: "v" } },
    metadata("v"),
    "no",
  ],
  [
    "metadata list",
    meta,
    { kind: "metadata", list: true, test: { op: "exact", text: "v" } },
    metadata(["w", "v"]),
    "yes",
  ],
  [
    "metadata list, text wanted",
    meta,
    { kind: "metadata", list: false, test: { op: "exact", text: "v" } },
    metadata(["v"]),
    "no",
  ],
  ["metadata unknown", meta, { kind: "metadata", list: false, test: any }, metadata(UNKNOWN), "unknown"],
  ["metadata absent", meta, { kind: "metadata", list: false, test: any }, metadata(undefined), "no"],
];

for (const [name, attribute, value, request, expected] of [...onHttp, ...onHeaders, ...onIdentities, ...onClaims]) {
  test(`leaf: ${name}: ${expected}`, () => {
    assert.equal(leaf(attribute, value, request), expected);
    const negated = says[compileField(field(attribute, [], [value])).test(request)];
    assert.equal(negated, { yes: "no", no: "yes", unknown: "unknown" }[expected], "under a not field");
  });
}

test("values and notValues of one field are both required", () => {
  const both = field(path, [prefix("/a")], [exact("/ab")]);
  const of = (text: string) => says[compileField(both).test(http({ path: text }))];
  assert.deepEqual([of("/ax"), of("/ab"), of("/b")], ["yes", "no", "no"]);
});

test("a false value decides although another is unknown, and a true one too", () => {
  const request = over({ peer: { names: ["spiffe://a"], opaque: [], complete: false } });
  const a = principal({ op: "exact", text: "spiffe://a" });
  const b = principal({ op: "exact", text: "spiffe://b" });
  assert.equal(says[compileField(field(identity, [b, a])).test(request)], "yes");
  assert.equal(says[compileField(field(identity, [b], [a])).test(request)], "no");
});

test("every identity value says of every known name what its regular expression says", () => {
  const values: ValueTest[] = [
    ...words.namespaces.flatMap((a) => [namespace(a), ...words.namespaces.map((b) => namespace(a, b))]),
    ...words.namespaces.flatMap((a) => words.accounts.map((b) => account(a, b))),
    ...words.trustDomains.map((text): ValueTest => ({ kind: "trustDomain", op: "exact", text })),
    ...words.trustDomains.map((before): ValueTest => ({ kind: "trustDomain", op: "star", before, after: "" })),
    ...words.trustDomains.map((after): ValueTest => ({ kind: "trustDomain", op: "star", before: "", after })),
    ...words.identities.map((text) => principal({ op: "suffix", text: text.slice(-8) })),
  ];
  // E0-EF and F0-F4 begin longer characters; C0, C1 and F5 begin none.
  const odd = [
    "\xc2\x80",
    "\xc1\x80",
    "\xe0\x80\x80",
    "\xe2\x82",
    "\xf4\x80\x80\x80",
    "\xf5\x80\x80\x80",
    "\x80",
    "\xdf\xc0",
  ];
  const names = [
    ...words.identities,
    ...odd.flatMap((bytes) => [`spiffe://td1/ns/foo/${bytes}/sa/web`, `spiffe://t${bytes}1/ns/foo/sa/web`]),
  ];
  for (const value of values) {
    const one = field(identity, [value]);
    const { test: says } = compileField(one);
    for (const name of names) {
      const request = peer(named(name));
      assert.equal(says(request) === 2, naiveField(one, request), JSON.stringify({ value, name }));
    }
  }
});
