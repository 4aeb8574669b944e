import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchFault } from "#platform/fetch/fault-codes";
import { proxyFor } from "#platform/fetch/proxies";

const https = { HTTPS_PROXY: "http://proxy.example:3128" };

test("which proxy, and when none", () => {
  const cases: readonly (readonly [uri: string, environment: Record<string, string>, proxy: string | undefined])[] = [
    ["https://issuer.example/", {}, undefined],
    ["https://issuer.example/", https, "proxy.example:3128"],
    ["http://issuer.example/", https, undefined],
    ["http://issuer.example/", { HTTP_PROXY: "http://p:1" }, "p:1"],
    ["https://issuer.example/", { HTTP_PROXY: "http://p:1" }, undefined],
    ["https://issuer.example/", { https_proxy: "http://lower:1", HTTPS_PROXY: "http://upper:1" }, "lower:1"],
    ["https://issuer.example/", { HTTPS_PROXY: "proxy.example:8080" }, "proxy.example:8080"],
    ["https://issuer.example/", { HTTPS_PROXY: "http://proxy.example" }, "proxy.example:80"],
    ["https://issuer.example/", { HTTPS_PROXY: "https://proxy.example" }, "proxy.example:443 tls"],
    ["https://issuer.example/", { HTTPS_PROXY: "http://[fd00::1]:3128" }, "fd00::1:3128"],
    ["https://issuer.example/", { HTTPS_PROXY: "  " }, undefined],
    // This machine is never behind a proxy.
    ["https://localhost/", https, undefined],
    ["https://127.0.0.1/", https, undefined],
    ["https://127.9.9.9/", https, undefined],
    ["https://[::1]/", https, undefined],
    ["https://10.0.0.1/", https, "proxy.example:3128"],
  ];
  for (const [uri, environment, proxy] of cases) {
    const found = proxyFor(new URL(uri), environment);
    const text = found === undefined ? undefined : `${found.host}:${found.port}${found.tls ? " tls" : ""}`;
    assert.equal(text, proxy, `${uri} ${JSON.stringify(environment)}`);
  }
});

test("`NO_PROXY`", () => {
  const cases: readonly (readonly [list: string, host: string, around: boolean])[] = [
    ["issuer.example", "issuer.example", true],
    ["issuer.example", "a.issuer.example", true],
    ["issuer.example", "otherissuer.example", false],
    ["issuer.example", "issuer.example.org", false],
    [".issuer.example", "issuer.example", true],
    [".issuer.example", "a.b.issuer.example", true],
    ["*.issuer.example", "a.issuer.example", true],
    ["ISSUER.example", "issuer.EXAMPLE", true],
    ["issuer.example.", "issuer.example", true],
    ["issuer.example", "issuer.example.", true],
    ["a, issuer.example ,b", "issuer.example", true],
    ["a issuer.example b", "issuer.example", true],
    ["*", "issuer.example", true],
    [".", "issuer.example", false],
    ["", "issuer.example", false],
    [",", "issuer.example", false],
    ["issuer.example:443", "issuer.example", true],
    ["issuer.example:8443", "issuer.example", false],
    ["issuer.example:8443", "issuer.example:8443", true],
    ["10.0.0.0/8", "10.1.2.3", true],
    ["10.0.0.0/8", "11.1.2.3", false],
    ["10.0.0.0/8", "issuer.example", false],
    ["10.0.0.0/99", "10.1.2.3", false],
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "10.1.2.30", false],
    ["10.1.2.3:443", "10.1.2.3", true],
    ["10.1.2.3", "[::ffff:10.1.2.3]", true],
    ["fd00::/8", "[fd00::1]", true],
    ["fd00::/8", "[fe00::1]", false],
    ["fd00::1", "[fd00:0::1]", true],
    ["[fd00::1]:443", "[fd00::1]", true],
    ["[fd00::1]:444", "[fd00::1]", false],
  ];
  for (const [list, host, around] of cases) {
    const found = proxyFor(new URL(`https://${host}/`), { ...https, NO_PROXY: list });
    assert.equal(found === undefined, around, `${list} for ${host}`);
  }
});

test("user and password of a proxy become its credential", () => {
  const proxy = proxyFor(new URL("https://issuer.example"), { HTTPS_PROXY: "http://us%40er:p%3Aw@proxy.example:1" });
  assert.equal(proxy?.authorization, `Basic ${Buffer.from("us@er:p:w").toString("base64")}`);
});

test("a proxy that cannot be used is a fault, not a way around it, and the fault tells no credential", () => {
  for (const text of ["socks5://user:secret@proxy.example:1", "http://", "http://us%er:secret@proxy.example", "://"]) {
    assert.throws(
      () => proxyFor(new URL("https://issuer.example"), { HTTPS_PROXY: text }),
      (fault) => fault instanceof FetchFault && !fault.message.includes("secret"),
      text,
    );
  }
});
