import assert from "node:assert/strict";
import { test } from "node:test";
import type { CsrNames } from "#ca/csr/contract";
import { namesThatDiffer } from "#ca/issuance/compare-names";
import { parseSpiffeId } from "#identity/spiffe-id";

const own = parseSpiffeId("spiffe://hello.mesh/ns/hello/sa/web");
assert.ok(own.ok);
const { id } = own;
const dnsNames = ["web.hello.svc"];
const none: CsrNames = { alternativeNames: [], commonNames: [], subjectIsEmpty: true, otherExtensions: [] };

const cases: readonly {
  readonly name: string;
  readonly names: Partial<CsrNames>;
  readonly differing: readonly string[];
}[] = [
  { name: "no name at all", names: {}, differing: [] },
  { name: "the identity", names: { alternativeNames: [{ kind: "uri", value: id.toString() }] }, differing: [] },
  {
    name: "a registered DNS name",
    names: { alternativeNames: [{ kind: "dns", value: "Web.hello.svc" }] },
    differing: [],
  },
  { name: "the identity as common name", names: { commonNames: [id.toString()] }, differing: [] },
  {
    name: "somebody else's identity",
    names: { alternativeNames: [{ kind: "uri", value: "spiffe://hello.mesh/ns/hello/sa/admin" }] },
    differing: ["URI:spiffe://hello.mesh/ns/hello/sa/admin"],
  },
  {
    name: "the identity in capitals is another",
    names: { alternativeNames: [{ kind: "uri", value: "spiffe://HELLO.mesh/ns/hello/sa/web" }] },
    differing: ["URI:spiffe://HELLO.mesh/ns/hello/sa/web"],
  },
  {
    name: "two names joined by a comma are one other name",
    names: { alternativeNames: [{ kind: "uri", value: `${id},spiffe://hello.mesh/ns/hello/sa/admin` }] },
    differing: [`URI:${id},spiffe://hello.mesh/ns/hello/sa/admin`],
  },
  {
    name: "a DNS name that is not registered",
    names: { alternativeNames: [{ kind: "dns", value: "bank.example" }] },
    differing: ["DNS:bank.example"],
  },
  {
    name: "addresses, mail and other kinds",
    names: {
      alternativeNames: [
        { kind: "ip", bytes: new Uint8Array([10, 0, 0, 1]) },
        { kind: "email", value: "a@b" },
        { kind: "other", tag: 4 },
      ],
    },
    differing: ["IP:0a000001", "EMAIL:a@b", "name of kind 4"],
  },
  { name: "another common name", names: { commonNames: ["admin"] }, differing: ["CN:admin"] },
];

for (const { name, names, differing } of cases) {
  test(`names of a request: ${name}`, () => {
    assert.deepEqual(namesThatDiffer({ ...none, ...names }, id, dnsNames), differing);
  });
}

test("a hostile request writes no long record", () => {
  const alternativeNames = Array.from({ length: 400 }, () => ({ kind: "dns", value: "x".repeat(5_000) }) as const);
  const differing = namesThatDiffer({ ...none, alternativeNames }, id, dnsNames);
  assert.equal(differing.at(-1), "and 392 more");
  assert.ok(differing.join("").length < 2_000);
});
