import assert from "node:assert/strict";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { isIP } from "node:net";
import { after, before, type TestContext, test } from "node:test";
import { createAddressGuard, parseBlock } from "#platform/fetch/address-guard";
import type { FetchFaultCode } from "#platform/fetch/fault-codes";
import { loadTrustedRoots } from "#platform/fetch/trusted-roots";
import type { FetchSettings } from "#platform/fetch-bytes";
import { fetchDocument } from "#platform/fetch-document";
import { type Certificates, makeCertificates } from "#test/support/certificates";
import { folderOf } from "#test/support/cli/run-cli";
import {
  answering,
  type Behaviour,
  dripping,
  flooding,
  redirecting,
  resetting,
  sending,
  silent,
  startHostileIssuer,
} from "#test/support/issuer/hostile-issuer";
import { startProxy } from "#test/support/issuer/proxy";
import { lastingPort } from "#test/support/lasting-port";

let certificates: Certificates;
let settings: FetchSettings;
before(async () => {
  certificates = await makeCertificates();
  settings = {
    guard: createAddressGuard([]),
    roots: (await loadTrustedRoots(certificates.ca)).roots,
    environment: {},
    maxBytes: 1024 * 1024,
  };
});
after(() => certificates.remove());

const never = new AbortController().signal;
const patient = { timeoutMillis: 20_000, signal: never };
const hasty = { timeoutMillis: 300, signal: never };

/** The text, or the fault's code and message. */
async function outcome(uri: string, using: Partial<FetchSettings> = {}, options = patient): Promise<string> {
  const fetched = await fetchDocument(uri, { ...settings, ...using }, options);
  return fetched.ok ? fetched.text : `${fetched.fault.code}: ${fetched.fault.message}`;
}

/** A fault of this code, whose message begins so. */
function fault(code: FetchFaultCode, message = /./): RegExp {
  return new RegExp(`^${code}: ${message.source}`);
}

const MiB = 1024 * 1024;
const hostile: readonly {
  readonly name: string;
  readonly does: Behaviour;
  readonly wanted: RegExp;
  readonly hurried?: boolean;
}[] = [
  { name: "a document", does: answering('{"keys":[]}'), wanted: /^\{"keys":\[\]\}$/ },
  {
    name: "a document in chunks",
    does: sending("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    wanted: /^\{\}$/,
  },
  { name: "a document that ends with the connection", does: sending("HTTP/1.1 200 OK\r\n\r\n{}"), wanted: /^\{\}$/ },
  { name: "status 203", does: answering("x", "", "203 Y"), wanted: /^x$/ },
  { name: "status 204", does: sending("HTTP/1.1 204 No Content\r\n\r\n"), wanted: /^$/ },
  {
    name: "a hint before the answer",
    does: sending("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx"),
    wanted: /^x$/,
  },
  { name: "HTML with 200", does: answering("<html>", "content-type: text/html\r\n"), wanted: /^<html>$/ },
  {
    name: "bytes behind the length",
    does: sending("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}garbage"),
    wanted: /^\{\}$/,
  },
  { name: "a byte order mark", does: answering("\ufeff{}"), wanted: /^\ufeff\{\}$/ },
  { name: "exactly the limit", does: answering("x".repeat(MiB)), wanted: /^x+$/ },
  {
    name: "one byte more, with its length",
    does: answering("x".repeat(MiB + 1)),
    wanted: fault("fetch/too-large", /the document has more than 1048576 bytes$/),
  },
  {
    name: "one byte more, without a length",
    does: sending(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(MiB + 1)}`),
    wanted: fault("fetch/too-large"),
  },
  {
    name: "a length of terabytes and nothing behind it",
    does: (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9999999999999\r\n\r\n"),
    wanted: fault("fetch/too-large"),
  },
  { name: "a flood", does: flooding, wanted: fault("fetch/too-large") },
  {
    name: "less than the length",
    does: sending("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{}"),
    wanted: fault("fetch/truncated", /the document breaks off$/),
  },
  {
    name: "a chunk that is cut",
    does: sending("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{}"),
    wanted: fault("fetch/truncated"),
  },
  {
    name: "a chunk of no size",
    does: sending("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}"),
    wanted: fault("fetch/truncated", /the document breaks off$/),
  },
  {
    name: "two lengths",
    does: sending("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}"),
    wanted: fault("fetch/response", /HPE_/),
  },
  { name: "no HTTP", does: sending("SSH-2.0-OpenSSH_9.9\r\n"), wanted: fault("fetch/response", /HPE_/) },
  {
    name: "a megabyte of headers",
    does: sending(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(MiB)}\r\n\r\n`),
    wanted: fault("fetch/response", /HPE_HEADER_OVERFLOW$/),
  },
  { name: "an end before an answer", does: sending(""), wanted: fault("fetch/reset") },
  { name: "a reset", does: resetting, wanted: fault("fetch/reset", /ECONNRESET$/) },
  {
    name: "a reset within the document",
    does: (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{}", () => socket.resetAndDestroy()),
    wanted: /^fetch\/(?:truncated|reset)/,
  },
  { name: "silence", does: silent, wanted: fault("fetch/timeout", /nothing complete within 300 ms$/), hurried: true },
  {
    name: "a slow drip of headers",
    does: dripping("HTTP/1.1 200 OK\r\nx: ", 20),
    wanted: fault("fetch/timeout"),
    hurried: true,
  },
  {
    name: "a slow drip of the body",
    does: dripping("HTTP/1.1 200 OK\r\n\r\n{", 20),
    wanted: fault("fetch/timeout"),
    hurried: true,
  },
  {
    name: "hints without end",
    does: dripping("", 5, "HTTP/1.1 103 Early Hints\r\n\r\n"),
    wanted: fault("fetch/timeout"),
    hurried: true,
  },
  ...[
    "301 Moved",
    "302 Found",
    "303 See Other",
    "304 Not Modified",
    "307 Temporary",
    "308 Permanent",
    "300 Choices",
  ].map((status) => ({
    name: `status ${status}`,
    does: redirecting("http://169.254.169.254/latest?token=secret", status),
    wanted: new RegExp(`^fetch/redirect: status ${status.slice(0, 3)}, a redirect to http://169\\.254\\.169\\.254$`),
  })),
  {
    name: "a redirect to a path",
    does: redirecting("/secret"),
    wanted: fault("fetch/redirect", /status 302, a redirect$/),
  },
  ...["400 No", "401 No", "404 No", "429 Slow", "500 No", "503 No"].map((status) => ({
    name: `status ${status}`,
    does: answering('{"keys":[]}', "", status),
    wanted: fault("fetch/status", new RegExp(`status ${status.slice(0, 3)}$`)),
  })),
  {
    name: "a protocol that nobody asked for",
    does: sending("HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    wanted: fault("fetch/status", /status 101$/),
  },
  {
    name: "a compressed document",
    does: answering("xxxx", "content-encoding: gzip\r\n"),
    wanted: fault("fetch/encoding", /the document is compressed$/),
  },
  { name: "no compression, said aloud", does: answering("x", "content-encoding: Identity\r\n"), wanted: /^x$/ },
  {
    name: "no UTF-8",
    does: answering(new Uint8Array([0x7b, 0xff, 0x7d])),
    wanted: fault("fetch/text", /the document is not UTF-8$/),
  },
];

for (const { name, does, wanted, hurried } of hostile) {
  test(`an issuer that sends ${name}`, async (t) => {
    const issuer = await startHostileIssuer(t, does);
    assert.match(await outcome(issuer.uri, {}, hurried === true ? hasty : patient), wanted);
    // No connection outlives its fetch.
    await issuer.idle();
  });
}

test("what is asked", async (t) => {
  const issuer = await startHostileIssuer(t, answering("x"));
  assert.equal(await outcome(`http://us%40er:pass@127.0.0.1:${issuer.port}/a%20b?c=d#e`), "x");
  const [line, ...headers] = issuer.heads[0]!.trim().split("\r\n");
  assert.equal(line, "GET /a%20b?c=d HTTP/1.1");
  assert.deepEqual(headers.map((each) => each.toLowerCase()).sort(), [
    "accept-encoding: identity",
    "accept: application/json",
    `authorization: basic ${Buffer.from("us@er:pass").toString("base64").toLowerCase()}`,
    "connection: close",
    `host: 127.0.0.1:${issuer.port}`,
    "user-agent: garita",
  ]);
});

test("how long the issuer says that its document keeps", async (t) => {
  const cases: readonly (readonly [headers: string, seconds: number | undefined])[] = [
    ["", undefined],
    ["cache-control: max-age=300\r\n", 300],
    ["Cache-Control: public, MAX-AGE=300, must-revalidate\r\n", 300],
    ['cache-control: max-age="300"\r\n', 300],
    ["cache-control: max-age=300\r\nage: 100\r\n", 200],
    ["cache-control: max-age=300\r\nage: 400\r\n", 0],
    ["cache-control: max-age=300\r\nage: -1\r\n", 300],
    ["cache-control: max-age=0\r\n", 0],
    ["cache-control: no-cache, max-age=300\r\n", undefined],
    ["cache-control: no-store\r\n", undefined],
    ["cache-control: s-maxage=300\r\n", undefined],
    ["cache-control: max-age=-1\r\n", undefined],
    ["cache-control: max-age=99999999999999999999\r\n", undefined],
    ["cache-control: public\r\ncache-control: max-age=7\r\n", 7],
  ];
  const issuer = await startHostileIssuer(t, silent);
  for (const [headers, seconds] of cases) {
    issuer.become(answering("x", headers));
    const fetched = await fetchDocument(issuer.uri, settings, patient);
    assert.deepEqual(
      fetched,
      seconds === undefined ? { ok: true, text: "x" } : { ok: true, text: "x", maxAgeSeconds: seconds },
      headers,
    );
  }
});

test("addresses that cannot be fetched", async () => {
  const texts = [
    "",
    "issuer",
    "ftp://issuer.example/",
    "file:///etc/passwd",
    "http:issuer.example",
    "http:///keys",
    "http://",
    "https://?x",
    "http:\\\\issuer.example",
    "http://issuer.example\\@169.254.169.254/",
    " http://issuer.example/",
    "http://issuer.example/\n",
    "http://issuer example/",
    "http://issuer.example:99999/",
    "http://[::1/",
    "javascript:alert(1)",
  ];
  for (const text of texts) assert.match(await outcome(text), fault("fetch/uri", /expected `http:\/\/` or/), text);
  assert.match(await outcome("http://us%er:secret@127.0.0.1/"), fault("fetch/uri", /(?!.*secret)/));
});

test("addresses that are refused are not dialled, in every writing of them", async () => {
  const literal = [
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.169.254:80/",
    "http://2852039166/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://0.0.0.0/",
    "http://0/",
    "http://[::]/",
    "http://224.0.0.1/",
    "https://169.254.169.254/",
    "http://１６９.254.169.254/",
  ];
  for (const uri of literal) assert.match(await outcome(uri), fault("fetch/address", /the address .* is refused/), uri);
});

/** Names as the test wants them, one answer after another; the last one stays. */
function resolving(t: TestContext, ...answers: readonly (readonly string[])[]): { readonly asked: () => number } {
  let asked = 0;
  const lookup = (_name: string, _options: object, done: (fault: null, addresses: object[]) => void) => {
    const addresses = answers[Math.min(asked, answers.length - 1)]!;
    asked++;
    queueMicrotask(() =>
      done(
        null,
        addresses.map((address) => ({ address, family: isIP(address) })),
      ),
    );
  };
  t.mock.method(dns, "lookup", lookup as unknown as typeof dns.lookup);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return { asked: () => asked };
}

test("a name is resolved once, and what it resolved to is what is dialled: a second answer gains nothing", async (t) => {
  const issuer = await startHostileIssuer(t, answering("x"));
  const uri = `http://rebinding.example:${issuer.port}/`;
  const { asked } = resolving(t, ["127.0.0.1"], ["169.254.169.254"]);
  assert.equal(await outcome(uri), "x");
  assert.equal(asked(), 1);
  assert.match(await outcome(uri), fault("fetch/address", /the address 169\.254\.169\.254 is refused: link-local/));
});

test("of several addresses of a name, only those that may be dialled are", async (t) => {
  const issuer = await startHostileIssuer(t, answering("x"));
  resolving(t, ["169.254.169.254", "fe80::1", "127.0.0.1", "100.100.100.200"]);
  assert.equal(await outcome(`http://several.example:${issuer.port}/`), "x");
});

test("names that lead to what is refused, in every writing", async (t) => {
  for (const address of ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "fe80::1", "0.0.0.0", "::"]) {
    await t.test(address, async (each) => {
      resolving(each, [address]);
      assert.match(await outcome("http://metadata.example/"), fault("fetch/address", /.* is refused/));
    });
  }
});

test("a blocked range is refused where a name leads there, and is not even dialled", async (t) => {
  const issuer = await startHostileIssuer(t, answering("x"));
  const guard = createAddressGuard(["127.0.0.0/8", "::1/128"].map((block) => parseBlock(block)!));
  for (const host of ["localhost", "127.0.0.1"]) {
    const uri = `http://${host}:${issuer.port}/`;
    assert.equal(await outcome(uri), "x");
    assert.match(await outcome(uri, { guard }), fault("fetch/address", /.* is refused: in the blocked range/));
  }
  assert.equal(issuer.heads.length, 2);
});

test("names and connections that are not there", async () => {
  assert.match(await outcome("http://does-not-exist.invalid/"), fault("fetch/name", /(?:ENOTFOUND|EAI_AGAIN)$/));
  const port = await lastingPort();
  assert.equal(await outcome(`http://127.0.0.1:${port}/`), "fetch/connect: ECONNREFUSED");
  assert.equal(await outcome(`https://127.0.0.1:${port}/`), "fetch/connect: ECONNREFUSED");
});

test("a fetch that is stopped, before and while it runs", async (t) => {
  const issuer = await startHostileIssuer(t, silent);
  const end = new AbortController();
  issuer.become(() => end.abort());
  const options = { timeoutMillis: 20_000, signal: end.signal };
  assert.equal(await outcome(issuer.uri, {}, options), "fetch/stopped: stopped");
  assert.equal(await outcome(issuer.uri, {}, options), "fetch/stopped: stopped");
});

test("a defect is a fault too", async () => {
  const environment = new Proxy({}, { get: () => assert.fail("of the test") });
  assert.match(await outcome("http://127.0.0.1/", { environment }), fault("fetch/failed", /ERR_ASSERTION$/));
});

test("TLS: the authority is believed that was named, for names and addresses of the certificate", async (t) => {
  const tls = { cert: certificates.file("server", "crt"), key: certificates.file("server", "key") };
  const issuer = await startHostileIssuer(t, answering("x"), { tls });
  assert.equal(await outcome(issuer.uri), "x");
  assert.equal(await outcome(`https://localhost:${issuer.port}/`), "x");
});

test("TLS: what is wrong is said, whatever the environment thinks of it", async (t) => {
  const use = (leaf: "server" | "client" | "stranger") => ({
    tls: { cert: certificates.file(leaf, "crt"), key: certificates.file(leaf, "key") },
  });
  const good = await startHostileIssuer(t, answering("x"), use("server"));
  const unknown = { roots: (await loadTrustedRoots(undefined)).roots };
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  t.after(() => {
    delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  });
  assert.match(
    await outcome(good.uri, unknown),
    fault("fetch/tls", /UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT_LOCALLY): .*`caFile`, .* or by `--ca-file`/),
  );
  const stranger = await startHostileIssuer(t, answering("x"), use("stranger"));
  assert.match(
    await outcome(stranger.uri),
    fault("fetch/tls", /UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT_LOCALLY): .*`caFile`, .* or by `--ca-file`/),
  );
  const misnamed = await startHostileIssuer(t, answering("x"), use("client"));
  assert.match(await outcome(misnamed.uri), fault("fetch/tls", /ERR_TLS_CERT_ALTNAME_INVALID: /));
  assert.doesNotMatch(await outcome(misnamed.uri), /caFile/);
  const plain = await startHostileIssuer(t, answering("", "", "400 Bad Request"), { eager: true });
  assert.match(await outcome(plain.uri.replace("http:", "https:")), fault("fetch/tls"));
  const mute = await startHostileIssuer(t, silent);
  assert.match(await outcome(mute.uri.replace("http:", "https:"), {}, hasty), fault("fetch/timeout"));
  assert.match(await outcome(good.uri.replace("https:", "http:")), /^fetch\/(?:reset|response)/);
});

test("authorities from a file: unreadable, empty and broken ones are named", async (t) => {
  const folder = await folderOf(t, {
    "none.pem": "nothing\n",
    "broken.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  });
  await assert.rejects(loadTrustedRoots(`${folder}/absent.pem`), { code: "tls/unreadable" });
  await assert.rejects(loadTrustedRoots(`${folder}/none.pem`), { code: "tls/unusable" });
  await assert.rejects(loadTrustedRoots(`${folder}/broken.pem`), { code: "tls/unusable", message: /certificate 1 in/ });
});

test("a proxy: a tunnel for https, the whole address for http, and a credential for it alone", async (t) => {
  const tls = { cert: certificates.file("server", "crt"), key: certificates.file("server", "key") };
  const secure = await startHostileIssuer(t, answering("secure"), { tls });
  const plain = await startHostileIssuer(t, answering("plain"));
  const credential = `Basic ${Buffer.from("user:secret").toString("base64")}`;
  for (const own of [undefined, tls]) {
    const proxy = await startProxy(t, { tls: own, ways: { "garita.internal": "127.0.0.1" } });
    const address = `${own === undefined ? "http" : "https"}://user:secret@localhost:${proxy.port}`;
    const environment = { HTTPS_PROXY: address, HTTP_PROXY: address };
    assert.equal(await outcome(`https://garita.internal:${secure.port}/k`, { environment }), "secure");
    assert.equal(await outcome(`http://garita.internal:${plain.port}/k?x`, { environment }), "plain");
    assert.deepEqual(
      proxy.asked.map(({ line, authorization }) => [line, authorization]),
      [
        [`CONNECT garita.internal:${secure.port} HTTP/1.1`, credential],
        [`GET http://garita.internal:${plain.port}/k?x HTTP/1.1`, credential],
      ],
    );
    assert.ok(!secure.heads.at(-1)!.toLowerCase().includes("proxy-authorization"));
    // The guard sees what is written as an address, though the proxy would dial it.
    assert.match(await outcome("https://169.254.169.254/", { environment }), fault("fetch/address"));
    assert.equal(proxy.asked.length, 2);
    await Promise.all([proxy.idle(), secure.idle(), plain.idle()]);
  }
});

test("a proxy that opens no way", async (t) => {
  const cases: readonly (readonly [Behaviour, RegExp])[] = [
    [answering("", "", "407 Proxy Authentication Required"), /opens no way to issuer\.example:443: status 407$/],
    [answering("", "", "502 Bad Gateway"), /status 502$/],
    [sending("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nfake"), /it speaks itself$/],
    [sending("SSH-2.0\r\n"), /Parse Error/],
    [resetting, /ECONNRESET|hang up/],
    [sending(""), /hang up/],
  ];
  const proxy = await startHostileIssuer(t, silent);
  const environment = { HTTPS_PROXY: `http://user:secret@127.0.0.1:${proxy.port}` };
  for (const [does, wanted] of cases) {
    proxy.become(does);
    const said = await outcome("https://issuer.example/", { environment });
    assert.match(said, fault("fetch/proxy", /(?!.*secret)/));
    assert.match(said, wanted);
    await proxy.idle();
  }
  proxy.become(silent);
  assert.match(await outcome("https://issuer.example/", { environment }, hasty), fault("fetch/timeout"));
});

test("a proxy that is no http proxy is a fault", async () => {
  const environment = { HTTPS_PROXY: "socks5://127.0.0.1:1" };
  assert.match(
    await outcome("https://issuer.example/", { environment }),
    fault("fetch/proxy", /expected `HTTPS_PROXY`/),
  );
});
