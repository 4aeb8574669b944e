import assert from "node:assert/strict";
import { test } from "node:test";
import { isLocal, parseAddress, renderAddress } from "#platform/address";

const good: readonly (readonly [text: string, local: boolean])[] = [
  ["127.0.0.1:9191", true],
  ["127.8.9.1:1", true],
  ["[::1]:9191", true],
  ["localhost:0", true],
  ["unix:/run/garita.sock", true],
  ["unix:relative.sock", true],
  ["0.0.0.0:9191", false],
  ["[::]:9191", false],
  ["10.0.0.1:65535", false],
  ["authz.example.org:9191", false],
  ["localhost.example.org:9191", false],
];

const bad = [
  "",
  "9191",
  ":9191",
  "127.0.0.1",
  "127.0.0.1:",
  "127.0.0.1:65536",
  "127.0.0.1:-1",
  "127.0.0.1:0x50",
  "127.0.0.1:9191 ",
  "127.0.0.256:9191",
  "127.1:9191",
  "::1:9191",
  "[::1]",
  "[127.0.0.1]:9191",
  "a b:9191",
  "unix:",
  "unix:/a\0b",
  `unix:/${"x".repeat(107)}`,
  "http://127.0.0.1:9191",
];

for (const [text, local] of good) {
  test(`${text} is an address that ${local ? "only this machine" : "other machines"} can reach`, () => {
    const address = parseAddress(text);
    assert.ok(address !== undefined);
    assert.equal(renderAddress(address), text);
    assert.equal(isLocal(address), local);
  });
}

for (const text of bad) {
  test(`${JSON.stringify(text.slice(0, 30))} is no address`, () => assert.equal(parseAddress(text), undefined));
}
