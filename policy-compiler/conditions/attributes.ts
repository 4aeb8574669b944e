import { parseSpiffeId } from "#identity/spiffe-id";
import type { ByteString } from "#policy-compiler/ruleset/model";
import { addressText, canonicalAddress } from "./address-text.ts";
import { Allowance, type CelValue, readText, tooLarge, Unfit, unknownValue } from "./attribute-value.ts";
import { type AddressFact, type Fact, type Facts, type RequestFacts, UNKNOWN_FACT } from "./contract.ts";
import { readAllHeaders, readHeaders } from "./header-maps.ts";
import { limits } from "./limits.ts";
import { readQuery } from "./query-parameters.ts";

/** CEL types of attributes, as the library writes them. */
export type AttributeType =
  | "string"
  | "int"
  | "bool"
  | "list<string>"
  | "map<string, string>"
  | "map<string, list<string>>"
  | "map<string, dyn>"
  | "list<map<string, dyn>>"
  | "google.protobuf.Timestamp";

/** What a check learns an attribute from. `token` is known only after tokens were looked at. */
export const fillings = {
  http: "the request; unknown on a connection (TCP)",
  connection: "the connection, by what Envoy is set to send of it",
  workload: "the workload that is asked about",
  token: "the tokens that were verified; not in CUSTOM rules, which come before",
  clock: "Garita's clock, once a check",
} as const;

export interface AttributeRow {
  /** `root.member`, or one word. */
  readonly name: string;
  readonly type: AttributeType;
  readonly meaning: string;
  readonly filledBy: keyof typeof fillings;
  /** An expression that comes to bool. */
  readonly example: string;
  /**
   * The value, undefined for absent. `names`: the only members of a map that the expression looks at; undefined: it may look at
   * any.
   */
  readonly read: (facts: Facts, names: readonly string[] | undefined) => CelValue | undefined | Unfit;
  /** For a text that the attribute can never be equal to: how one is written to which it can. */
  readonly refuseLiteral?: (literal: string) => string | undefined;
  /** Maps whose members are read one by one when the expression names them. */
  readonly byName?: true;
}

/** Everything that an expression can name. */
export const attributes: readonly AttributeRow[] = [
  ofRequest("request.method", "string", "Method as received, such as `GET`.", 'request.method in ["GET", "HEAD"]', {
    read: (request) => textOf(request.method),
    refuseLiteral: (literal) => differs(literal, literal.toUpperCase()),
  }),
  ofRequest("request.scheme", "string", "`http` or `https`.", 'request.scheme == "https"', {
    read: (request) => textOf(request.scheme),
  }),
  ofRequest(
    "request.host",
    "string",
    "Host as received, case and port included.",
    'request.host.lowerAscii() == "api.example.com"',
    { read: (request) => textOf(request.host) },
  ),
  ofRequest(
    "request.path",
    "string",
    "Path in the normal form in which `paths` are compared, without query.",
    'request.path.startsWith("/public/")',
    { read: (request) => textOf(request.path), refuseLiteral: refusePath },
  ),
  ofRequest(
    "request.pathSegments",
    "list<string>",
    "The path between its slashes: `/a/b` gives `a`, `b`; `/a/` gives `a` and an empty text. Not decoded.",
    'request.pathSegments.size() > 1 && request.pathSegments[0] == "users"',
    { read: (request) => segmentsOf(request.path) },
  ),
  ofRequest("request.target", "string", "Path with query.", 'request.target.endsWith("?health")', {
    read: (request) => textOf(request.target),
    refuseLiteral: refusePath,
  }),
  ofRequest(
    "request.query",
    "map<string, list<string>>",
    "Parameters of the query by name, each with all its values; percent-decoded, `+` is a blank.",
    '"tenant" in request.query && request.query["tenant"] == ["a"]',
    { read: queryOf },
  ),
  ofRequest(
    "request.headers",
    "map<string, string>",
    "Headers by lower-case name; several lines are joined by commas. Pseudo headers are not among them.",
    '"x-tenant" in request.headers && request.headers["x-tenant"] == "a"',
    {
      byName: true,
      read: (request, names) =>
        names === undefined
          ? once(allJoined, request, () => readAllHeaders(request, "joined"))
          : readHeaders(request, names, "joined"),
    },
  ),
  ofRequest(
    "request.headerLines",
    "map<string, list<string>>",
    "Headers by lower-case name, line by line. Unknown where Envoy joined them and there is a comma.",
    '"x-role" in request.headerLines && request.headerLines["x-role"].exists(role, role == "admin")',
    {
      byName: true,
      read: (request, names) =>
        names === undefined
          ? once(allLines, request, () => readAllHeaders(request, "lines"))
          : readHeaders(request, names, "lines"),
    },
  ),
  ofRequest(
    "request.size",
    "int",
    "Bytes of the body as `content-length` announces them; absent when it does not.",
    "has(request.size) && request.size <= 1048576",
    { read: (request) => integerOf(request.size) },
  ),
  ofRequest(
    "request.protocol",
    "string",
    "`HTTP/1.0`, `HTTP/1.1`, `HTTP/2` or `HTTP/3`.",
    'request.protocol != "HTTP/1.0"',
    { read: (request) => textOf(request.protocol) },
  ),
  ofRequest("request.time", "google.protobuf.Timestamp", "When the check began.", "request.time.getHours() >= 8", {
    read: (_request, _names, facts) => timeOf(facts),
  }),

  onConnection(
    "source.address",
    "string",
    "Address of the connection's remote end (Istio's `source.ip`); absent for a peer without one.",
    'cidr("10.0.0.0/8").containsIP(source.address)',
    { read: (facts) => addressOf(facts.sourceAddress), refuseLiteral: refuseAddress },
  ),
  onConnection("source.port", "int", "Port of the connection's remote end.", "source.port >= 1024", {
    read: (facts) => ("sourcePort" in facts ? integerOf(facts.sourcePort) : unknownValue),
  }),
  ...identity("source", "the verified peer", (facts) => facts.sourcePrincipal),
  onConnection(
    "remote.address",
    "string",
    "Address of the client behind trusted proxies (Istio's `remote.ip`).",
    'remote.address != "192.0.2.7"',
    { read: (facts) => addressOf(facts.remoteAddress), refuseLiteral: refuseAddress },
  ),
  onConnection(
    "destination.address",
    "string",
    "Address at which the connection arrived.",
    'cidr("fd00::/8").containsIP(destination.address)',
    { read: (facts) => addressOf(facts.destinationAddress), refuseLiteral: refuseAddress },
  ),
  onConnection("destination.port", "int", "Port at which the connection arrived.", "destination.port == 8080", {
    read: (facts) => integerOf(facts.destinationPort),
  }),
  ...identity("destination", "the certificate that Envoy showed", (facts) =>
    "destinationPrincipal" in facts ? facts.destinationPrincipal : UNKNOWN_FACT,
  ),
  onConnection("connection.tls", "bool", "Is it TLS that Envoy terminates?", "connection.tls", {
    read: (facts) => plain(facts.tls),
  }),
  onConnection(
    "connection.sni",
    "string",
    "Server name of the TLS handshake, in lower case; absent when there was none.",
    'has(connection.sni) && glob(connection.sni, "*.example.com")',
    { read: (facts) => textOf(facts.sni), refuseLiteral: (literal) => differs(literal, literal.toLowerCase()) },
  ),

  ofWorkload("workload.namespace", "string", "Namespace of the workload.", 'workload.namespace != "kube-system"', {
    read: ({ workload }) => workload.namespace,
  }),
  ofWorkload(
    "workload.name",
    "string",
    "Its name; absent when it was described by labels alone.",
    'has(workload.name) && workload.name == "reviews-v1"',
    { read: ({ workload }) => workload.name },
  ),
  ofWorkload(
    "workload.labels",
    "map<string, string>",
    "Its labels.",
    '"app" in workload.labels && workload.labels["app"] == "reviews"',
    { read: ({ workload }) => (workload.labels.size > limits.attributeItems ? tooLarge : workload.labels) },
  ),

  {
    name: "claims",
    type: "map<string, dyn>",
    meaning:
      "Claims of the verified token that policies see, as JSON: its numbers are doubles. Empty when there is no token.",
    filledBy: "token",
    example: 'has(claims.groups) && "admins" in claims.groups',
    read: ({ claims }) => (claims === UNKNOWN_FACT ? unknownValue : claims === undefined ? noMembers : jsonOf(claims)),
  },
  {
    name: "tokens",
    type: "list<map<string, dyn>>",
    meaning: "Claims of every verified token, in the order in which they were verified.",
    filledBy: "token",
    example: 'tokens.exists(token, has(token.iss) && token.iss == "https://issuer.example.com")',
    read: ({ tokens }) => (tokens === UNKNOWN_FACT ? unknownValue : tokens === undefined ? noItems : jsonOf(tokens)),
  },
  {
    name: "now",
    type: "google.protobuf.Timestamp",
    meaning: "When the check began.",
    filledBy: "clock",
    example: 'now < timestamp("2030-01-01T00:00:00Z")',
    read: timeOf,
  },
];

/** The rows by name. */
export const attributeByName: ReadonlyMap<string, AttributeRow> = new Map(attributes.map((row) => [row.name, row]));

/** The first words of names: variables of the library. `undefined`: the attribute is the variable itself. */
export const attributeRoots: ReadonlyMap<string, readonly AttributeRow[] | undefined> = (() => {
  const roots = new Map<string, AttributeRow[] | undefined>();
  for (const row of attributes) {
    const dot = row.name.indexOf(".");
    const root = dot < 0 ? row.name : row.name.slice(0, dot);
    const members = roots.get(root);
    if (dot < 0) roots.set(root, undefined);
    else if (members === undefined) roots.set(root, [row]);
    else members.push(row);
  }
  return roots;
})();

type Reader<Subject extends unknown[]> = (...subject: Subject) => CelValue | undefined | Unfit;
type Extra<Subject extends unknown[]> = Pick<AttributeRow, "refuseLiteral" | "byName"> & {
  readonly read: Reader<Subject>;
};
type Head = readonly [name: string, type: AttributeType, meaning: string, example: string];

function ofRequest(
  ...[name, type, meaning, example, extra]: [
    ...Head,
    Extra<[request: RequestFacts, names: readonly string[] | undefined, facts: Facts]>,
  ]
): AttributeRow {
  const read: AttributeRow["read"] = (facts, names) =>
    facts.request === undefined ? unknownValue : extra.read(facts.request, names, facts);
  return { ...extra, name, type, meaning, example, filledBy: "http", read };
}

function onConnection(...[name, type, meaning, example, extra]: [...Head, Extra<[facts: Facts]>]): AttributeRow {
  return { ...extra, name, type, meaning, example, filledBy: "connection", read: (facts) => extra.read(facts) };
}

function ofWorkload(...[name, type, meaning, example, extra]: [...Head, Extra<[facts: Facts]>]): AttributeRow {
  return { ...extra, name, type, meaning, example, filledBy: "workload", read: (facts) => extra.read(facts) };
}

const SCHEME = "spiffe://";

/** The four rows that one end's certificate fills. */
function identity(end: string, whose: string, nameOf: (facts: Facts) => Fact<ByteString>): readonly AttributeRow[] {
  const part = (pick: (uri: ByteString) => string | undefined) => (facts: Facts) => {
    const uri = nameOf(facts);
    if (uri === UNKNOWN_FACT) return unknownValue;
    return uri === undefined || !uri.startsWith(SCHEME) ? undefined : pick(uri);
  };
  const parsed = (uri: ByteString) => {
    const parse = parseSpiffeId(uri);
    return parse.ok ? parse.id : undefined;
  };
  return [
    onConnection(
      `${end}.principal`,
      "string",
      `Principal of ${whose} as Istio writes it, without \`spiffe://\`; absent without one.`,
      `has(${end}.principal) && ${end}.principal == "cluster.local/ns/web/sa/nginx"`,
      {
        read: (facts) => {
          const uri = nameOf(facts);
          if (uri === UNKNOWN_FACT) return unknownValue;
          return uri === undefined || !uri.startsWith(SCHEME) ? undefined : readText(uri.slice(SCHEME.length));
        },
        refuseLiteral: (literal) =>
          differs(literal, literal.startsWith(SCHEME) ? literal.slice(SCHEME.length) : literal),
      },
    ),
    onConnection(
      `${end}.trustDomain`,
      "string",
      `Trust domain of ${whose}; absent without a valid SPIFFE ID.`,
      `has(${end}.trustDomain) && ${end}.trustDomain == "cluster.local"`,
      { read: part((uri) => parsed(uri)?.trustDomain) },
    ),
    onConnection(
      `${end}.namespace`,
      "string",
      `Namespace in the SPIFFE ID of ${whose}; absent when it is not of the form \`/ns/…/sa/…\`.`,
      `has(${end}.namespace) && ${end}.namespace == "web"`,
      { read: part((uri) => parsed(uri)?.istioName?.namespace) },
    ),
    onConnection(
      `${end}.serviceAccount`,
      "string",
      `Service account in the SPIFFE ID of ${whose}; absent when it is not of the form \`/ns/…/sa/…\`.`,
      `has(${end}.serviceAccount) && ${end}.serviceAccount == "nginx"`,
      { read: part((uri) => parsed(uri)?.istioName?.serviceAccount) },
    ),
  ];
}

const noMembers: ReadonlyMap<string, CelValue> = new Map();
const noItems: readonly CelValue[] = [];

function plain<T extends CelValue>(fact: Fact<T>): T | undefined | Unfit {
  return fact === UNKNOWN_FACT ? unknownValue : fact;
}

function textOf(fact: Fact<ByteString>): string | undefined | Unfit {
  return fact === UNKNOWN_FACT ? unknownValue : fact === undefined ? undefined : readText(fact);
}

function integerOf(fact: Fact<number>): bigint | undefined | Unfit {
  if (fact === UNKNOWN_FACT) return unknownValue;
  return fact === undefined ? undefined : Number.isSafeInteger(fact) ? BigInt(fact) : unknownValue;
}

function addressOf(fact: Fact<AddressFact>): string | undefined | Unfit {
  if (fact === UNKNOWN_FACT) return unknownValue;
  return fact === undefined ? undefined : addressText(fact.bytes);
}

function timeOf({ nowMillis }: Facts): Date | Unfit {
  // INVARIANT: dates are valid: the library finds every comparison with an invalid one false.
  const time = new Date(nowMillis);
  return Number.isNaN(time.getTime()) ? unknownValue : time;
}

function segmentsOf(fact: Fact<ByteString>): readonly string[] | undefined | Unfit {
  const path = textOf(fact);
  if (path === undefined || path instanceof Unfit) return path;
  if (path === "" || path === "/") return [];
  const segments = (path.startsWith("/") ? path.slice(1) : path).split("/");
  return segments.length > limits.attributeItems ? tooLarge : segments;
}

function queryOf(request: RequestFacts): CelValue | undefined | Unfit {
  const { target } = request;
  if (target === UNKNOWN_FACT) return unknownValue;
  return target === undefined ? undefined : once(queries, request, () => readQuery(target));
}

/**
 * Bound: what takes longer to read than most conditions take to run is read once for a request, however many rules ask for it: a query of
 * 16 KiB, percent-encoded, takes some 0.7 ms. A request's facts stay as they are.
 */
type Made<Subject extends object> = WeakMap<Subject, CelValue | Unfit>;
const queries: Made<RequestFacts> = new WeakMap();
const allJoined: Made<RequestFacts> = new WeakMap();
const allLines: Made<RequestFacts> = new WeakMap();

function once<Subject extends object>(made: Made<Subject>, subject: Subject, make: () => CelValue | Unfit) {
  let value = made.get(subject);
  if (value === undefined) {
    value = make();
    made.set(subject, value);
  }
  return value;
}

/**
 * PERF: claims are made into maps once, however many conditions read them. Kept as long as the claims themselves, and never for a value
 * that may change: claims are not written after they were verified.
 */
const madeOfJson: Made<object> = new WeakMap();

function jsonOf(json: object): CelValue | Unfit {
  return once(madeOfJson, json, () => new Allowance().json(json, limits.attributeDepth));
}

function differs(literal: string, written: string): string | undefined {
  return literal === written ? undefined : `write \`${written}\``;
}

function refusePath(literal: string): string | undefined {
  return literal === "" || literal.startsWith("/") || literal === "*" ? undefined : "paths begin with `/`";
}

function refuseAddress(literal: string): string | undefined {
  const written = canonicalAddress(literal);
  return written === undefined
    ? "write an address, such as `10.0.0.1`; a block is tested with `cidr`"
    : differs(literal, written);
}
