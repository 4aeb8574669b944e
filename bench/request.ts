import { type CheckMessage, checkMessage } from "#cli/request/check-message";

/** A request as browsers and services send them: 18 headers, a token of 614 characters, about 1.6 kB on the wire. Fits rule `i` of `policies.ts`. */
export function benchRequest(i: number): CheckMessage {
  const token = `eyJhbGciOiJFUzI1NiJ9.${"a".repeat(500)}.${"s".repeat(92)}`;
  return checkMessage({
    workload: { namespace: `team-${i % 40}`, labels: { app: `service-${i}` }, address: "10.2.3.4", port: 8080 },
    caller: { principal: `bench.mesh/ns/team-${(i * 7) % 40}/sa/caller-${i % 300}`, address: "10.1.2.3" },
    request: {
      method: "GET",
      host: `service-${i}.example.com`,
      path: `/api/v1/items-${i}/42?view=full`,
      headers: [
        "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "accept-encoding: gzip, deflate, br, zstd",
        "accept-language: en-GB,en;q=0.9,de;q=0.8",
        `authorization: Bearer ${token}`,
        "cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
        "x-request-id: 5f0c6a4e-9d1b-4f7a-8a35-0a6d6a5a1c11",
        `x-tenant: tenant-${i % 100}`,
        "x-forwarded-for: 203.0.113.7",
        "x-forwarded-proto: https",
        "x-b3-traceid: 80f198ee56343ba864fe8b2a57d3eff7",
        "x-b3-spanid: e457b5a2e4d86bd1",
        "x-b3-sampled: 1",
        "cache-control: no-cache",
      ],
      protocol: "HTTP/2",
    },
  });
}
