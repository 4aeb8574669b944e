import assert from "node:assert/strict";
import { test } from "node:test";
import { type AddressBlock, createAddressGuard, parseBlock } from "#platform/fetch/address-guard";

const guard = createAddressGuard([parseBlock("10.1.0.0/16")!, parseBlock("fd12::/16")!, parseBlock("203.0.113.7/24")!]);

test("what is refused, in every writing", () => {
  const cases: readonly (readonly [address: string, what: string | undefined])[] = [
    ["8.8.8.8", undefined],
    ["10.0.255.255", undefined],
    ["10.2.0.0", undefined],
    ["172.16.0.1", undefined],
    ["192.168.1.1", undefined],
    ["127.0.0.1", undefined],
    ["::1", undefined],
    ["fd00::1", undefined],
    ["fc00::1", undefined],
    ["2606:4700::1", undefined],
    ["::ffff:10.0.0.1", undefined],
    ["64:ff9b::808:808", undefined],
    ["64:ff9b:1::808:808", undefined],
    ["2002:808:808::1", undefined],
    ["100.100.100.201", undefined],
    ["168.63.129.15", undefined],
    ["169.253.255.255", undefined],
    ["169.255.0.0", undefined],
    ["fec0::1", undefined],
    ["fe7f:ffff::1", undefined],
    ["223.255.255.255", undefined],
    ["1.0.0.0", undefined],
    ["169.254.169.254", "link-local, with most clouds' metadata"],
    ["169.254.0.0", "link-local, with most clouds' metadata"],
    ["169.254.255.255", "link-local, with most clouds' metadata"],
    ["::ffff:169.254.169.254", "link-local, with most clouds' metadata"],
    ["::ffff:a9fe:a9fe", "link-local, with most clouds' metadata"],
    ["::a9fe:a9fe", "link-local, with most clouds' metadata"],
    ["64:ff9b::a9fe:a9fe", "link-local, with most clouds' metadata"],
    ["64:ff9b:1::a9fe:a9fe", "link-local, with most clouds' metadata"],
    ["2002:a9fe:a9fe::1", "link-local, with most clouds' metadata"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["febf:ffff::1", "link-local"],
    ["fd00:ec2::254", "metadata of Amazon EC2"],
    ["fd20:ce::254", "metadata of Google Compute Engine"],
    ["100.100.100.200", "metadata of Alibaba Cloud"],
    ["::ffff:100.100.100.200", "metadata of Alibaba Cloud"],
    ["168.63.129.16", "the host agent of Azure"],
    ["192.0.0.192", "metadata of Oracle Cloud"],
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "unspecified"],
    ["::", "unspecified"],
    ["::ffff:0.0.0.0", "unspecified"],
    ["224.0.0.1", "multicast"],
    ["239.255.255.255", "multicast"],
    ["ff02::1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["10.1.2.3", "in the blocked range 10.1.0.0/16"],
    ["::ffff:10.1.2.3", "in the blocked range 10.1.0.0/16"],
    ["fd12:3::4", "in the blocked range fd12::/16"],
    ["203.0.113.200", "in the blocked range 203.0.113.7/24"],
    ["", "no IP address"],
    ["metadata.google.internal", "no IP address"],
  ];
  for (const [address, what] of cases) assert.equal(guard.refusal(address), what, address);
});

test("a block that is written as a mapped one counts for the address it means", () => {
  const mapped = createAddressGuard([parseBlock("::ffff:10.0.0.0/104")!]);
  assert.match(mapped.refusal("10.2.3.4") ?? "", /blocked range/);
  assert.equal(mapped.refusal("11.2.3.4"), undefined);
});

test("what is a block, and what is none", () => {
  const cases: readonly (readonly [text: string, block: boolean])[] = [
    ["10.0.0.0/8", true],
    ["10.0.0.1/32", true],
    ["0.0.0.0/0", true],
    ["::/0", true],
    ["fd00::/8", true],
    ["fd00::1/128", true],
    ["10.0.0.0", false],
    ["10.0.0.0/33", false],
    ["::/129", false],
    ["10/8", false],
    ["010.0.0.0/8", false],
    ["0x0a.0.0.0/8", false],
    ["10.0.0.0/-1", false],
    ["10.0.0.0/8/8", false],
    ["fe80::%eth0/10", false],
    ["example.org/8", false],
    ["", false],
    ["/8", false],
    ["10.0.0.0/", false],
    [" 10.0.0.0/8", false],
  ];
  for (const [text, block] of cases) {
    const parsed: AddressBlock | undefined = parseBlock(text);
    assert.equal(parsed !== undefined, block, text);
  }
});
