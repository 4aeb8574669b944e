import assert from "node:assert/strict";
import { test } from "node:test";
import type { GeneralName } from "#ca/x509/contract";
import { nameConstraintsFault } from "#ca/x509/name-constraints";
import { dnsName, ipName, uriName } from "#test/support/ca/certificate-parts";
import * as d from "#test/support/ca/der-builder";

const permitted = (...bases: readonly Uint8Array[]) => d.der(0xa0, ...bases.map((base) => d.sequence(base)));
const excluded = (...bases: readonly Uint8Array[]) => d.der(0xa1, ...bases.map((base) => d.sequence(base)));
const uri = (value: string): GeneralName => ({ kind: "uri", value });
const dns = (value: string): GeneralName => ({ kind: "dns", value });
const ip = (...octets: readonly number[]): GeneralName => ({ kind: "ip", bytes: d.bytes(...octets) });
const empty = d.sequence();
const somebody = d.distinguishedName([d.commonName, d.utf8("somebody")]);
const directory = d.der(0xa4, somebody);

interface Row {
  readonly constraints: Uint8Array;
  readonly names: readonly GeneralName[];
  readonly subject?: Uint8Array;
  /** Undefined: within. */
  readonly fault?: RegExp;
}

const here = uri("spiffe://mesh.example/a");
const rows: Readonly<Record<string, Row>> = {
  "the host itself": { constraints: d.sequence(permitted(uriName("mesh.example"))), names: [here] },
  "the host in another case": { constraints: d.sequence(permitted(uriName("MESH.example"))), names: [here] },
  "another host": { constraints: d.sequence(permitted(uriName("example"))), names: [here], fault: /do not permit/ },
  "a host that ends alike": {
    constraints: d.sequence(permitted(uriName("mesh.example"))),
    names: [uri("spiffe://a-mesh.example/a")],
    fault: /do not permit/,
  },
  "below a domain": { constraints: d.sequence(permitted(uriName(".example"))), names: [here] },
  "a domain is not below itself": {
    constraints: d.sequence(permitted(uriName(".mesh.example"))),
    names: [here],
    fault: /do not permit/,
  },
  "one of several": {
    constraints: d.sequence(permitted(uriName("a.example"), uriName("mesh.example"))),
    names: [here],
  },
  excluded: {
    constraints: d.sequence(excluded(uriName("mesh.example"))),
    names: [here],
    fault: /exclude `spiffe:\/\/mesh/,
  },
  "another excluded": { constraints: d.sequence(excluded(uriName("other.example"))), names: [here] },
  "excluded though permitted": {
    constraints: d.sequence(permitted(uriName(".example")), excluded(uriName("mesh.example"))),
    names: [here],
    fault: /exclude/,
  },
  "a name of a kind that is not constrained": {
    constraints: d.sequence(permitted(dnsName("a.example"))),
    names: [here],
  },
  "a URI without a host": {
    constraints: d.sequence(permitted(uriName("mesh.example"))),
    names: [uri("urn:a")],
    fault: /cannot be compared/,
  },
  "a URI with a user": {
    constraints: d.sequence(permitted(uriName("mesh.example"))),
    names: [uri("spiffe://mesh.example@evil.example/a")],
    fault: /cannot be compared/,
  },
  "a URI with a port": {
    constraints: d.sequence(permitted(uriName("mesh.example"))),
    names: [uri("spiffe://mesh.example:1/a")],
    fault: /cannot be compared/,
  },
  "an empty constraint of URIs": {
    constraints: d.sequence(permitted(uriName(""))),
    names: [here],
    fault: /cannot be compared/,
  },
  "a DNS name itself": { constraints: d.sequence(permitted(dnsName("shop.svc"))), names: [dns("shop.svc")] },
  "a DNS name below": { constraints: d.sequence(permitted(dnsName("shop.svc"))), names: [dns("Cart.Shop.svc")] },
  "a DNS name that ends alike": {
    constraints: d.sequence(permitted(dnsName("shop.svc"))),
    names: [dns("workshop.svc")],
    fault: /do not permit/,
  },
  "a DNS name with a dot in front of the constraint": {
    constraints: d.sequence(permitted(dnsName(".shop.svc"))),
    names: [dns("shop.svc")],
    fault: /do not permit/,
  },
  "every DNS name": { constraints: d.sequence(excluded(dnsName(""))), names: [dns("a")], fault: /exclude/ },
  "an address": { constraints: d.sequence(permitted(ipName(10, 0, 0, 0, 255, 0, 0, 0))), names: [ip(10, 9, 9, 9)] },
  "an address elsewhere": {
    constraints: d.sequence(permitted(ipName(10, 0, 0, 0, 255, 0, 0, 0))),
    names: [ip(11, 0, 0, 0)],
    fault: /do not permit the address 0b/,
  },
  "an address of the other family": {
    constraints: d.sequence(permitted(ipName(10, 0, 0, 0, 255, 0, 0, 0))),
    names: [{ kind: "ip", bytes: new Uint8Array(16) }],
    fault: /do not permit/,
  },
  "a constraint of addresses without a mask": {
    constraints: d.sequence(permitted(ipName(10, 0, 0, 0))),
    names: [ip(10, 0, 0, 0)],
    fault: /cannot be compared/,
  },
  "mail, which is not understood": {
    constraints: d.sequence(excluded(d.der(0x81, Buffer.from("a.example")))),
    names: [{ kind: "email", value: "x@b.example" }],
    fault: /not understood/,
  },
  "no mail": { constraints: d.sequence(excluded(d.der(0x81, Buffer.from("a.example")))), names: [here] },
  "a subject, which is not understood": {
    constraints: d.sequence(permitted(directory)),
    names: [here],
    subject: somebody,
    fault: /not understood/,
  },
  "no subject": { constraints: d.sequence(permitted(directory)), names: [here] },
  "an empty sequence": { constraints: empty, names: [], fault: /cannot be read/ },
  "no subtrees": { constraints: d.sequence(d.der(0xa0)), names: [], fault: /cannot be read/ },
  "a minimum": {
    constraints: d.sequence(d.der(0xa0, d.sequence(uriName("mesh.example"), d.der(0x80, d.bytes(1))))),
    names: [here],
    fault: /cannot be read/,
  },
  "the wrong order": {
    constraints: d.sequence(excluded(uriName("a.example")), permitted(uriName("mesh.example"))),
    names: [here],
    fault: /cannot be read/,
  },
  "no DER": { constraints: d.bytes(0x30, 0x80), names: [], fault: /cannot be read/ },
  "65 subtrees": {
    constraints: d.sequence(permitted(...Array.from({ length: 65 }, (_, i) => uriName(`m${i}.example`)))),
    names: [],
    fault: /cannot be read/,
  },
};

for (const [name, { constraints, names, subject, fault }] of Object.entries(rows)) {
  test(`name constraints: ${name}`, () => {
    const found = nameConstraintsFault(constraints, names, subject ?? empty);
    if (fault === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "within", fault);
  });
}
