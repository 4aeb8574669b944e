import { type Facts, type RequestFacts, UNKNOWN_FACT } from "#policy-compiler/conditions/contract";

type Headers = Readonly<Record<string, readonly string[]>>;

/** What a described request says, with `overrides`. Every attribute has a value; headers by name, line by line. */
export function requestFacts(headers: Headers = {}, overrides: Partial<RequestFacts> = {}): RequestFacts {
  const all = new Map(Object.entries(headers));
  return {
    method: "GET",
    host: "api.example.com",
    path: "/users/7/files",
    target: "/users/7/files?tenant=a&tenant=b&q=x%20y",
    scheme: "https",
    protocol: "HTTP/2",
    size: 12,
    header: (name) => {
      const lines = all.get(name);
      return lines === undefined ? undefined : { lines, joined: false };
    },
    headerNames: () => [...all.keys()],
    ...overrides,
  };
}

/** A Monday: 2026-01-05T09:30:00Z. */
export const nowMillis = Date.UTC(2026, 0, 5, 9, 30);

export function makeFacts(overrides: Partial<Facts> = {}): Facts {
  return {
    request: requestFacts({ "x-tenant": ["a"], "x-role": ["user", "admin"] }),
    sourceAddress: { bytes: [10, 0, 0, 1] },
    sourcePort: 40_000,
    remoteAddress: { bytes: [192, 0, 2, 9] },
    sourcePrincipal: "spiffe://cluster.local/ns/web/sa/nginx",
    destinationPrincipal: "spiffe://cluster.local/ns/web/sa/nginx",
    destinationAddress: { bytes: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
    destinationPort: 8080,
    sni: "a.example.com",
    tls: true,
    workload: { namespace: "shop", name: "reviews-v1", labels: new Map([["app", "reviews"]]) },
    claims: {
      iss: "https://issuer.example.com",
      sub: "alice",
      groups: ["users", "admins"],
      level: 3,
      org: { id: "x" },
    },
    tokens: [{ iss: "https://issuer.example.com", sub: "alice" }],
    nowMillis,
    ...overrides,
  };
}

/** The request brought nothing that it can leave out. */
export function unknownFacts(): Facts {
  const {
    sourcePort: _,
    destinationPrincipal: __,
    ...facts
  } = makeFacts({
    request: undefined,
    sourceAddress: UNKNOWN_FACT,
    remoteAddress: UNKNOWN_FACT,
    sourcePrincipal: UNKNOWN_FACT,
    destinationAddress: UNKNOWN_FACT,
    destinationPort: UNKNOWN_FACT,
    sni: UNKNOWN_FACT,
    tls: UNKNOWN_FACT,
    claims: UNKNOWN_FACT,
    tokens: UNKNOWN_FACT,
  });
  return facts;
}
