import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { exchange, h2, http1 } from "#test/support/envoy/clients";
import { envoyOrSkip, findEnvoy } from "#test/support/envoy/find-envoy";
import { type BesideIstio, providers, startBesideIstio } from "#test/support/providers/beside-istio";
import { answerBytes, denied, status } from "#test/support/providers/check-answers";
import { httpResponse } from "#test/support/providers/http-provider";

/** What a provider is sent by Garita, compared with what a real Envoy sends it whose filter is the one that Istio generates. */
const found = await findEnvoy();
let scene: BesideIstio;

before(async () => {
  if (found.ok) scene = await startBesideIstio(found.binary);
});
after(() => scene?.stop());

const busy = [
  "host: A.Example:80",
  "x-t: 1",
  "x-t: 2",
  "x-a: 1",
  "x-a:",
  "X-Abc: \xe9\xc3\xa9",
  "authorization: Basic abc",
  "authorization: Two",
  "cookie: a=1",
  "cookie: b=2",
  "x-role: r",
  "x-empty:",
  "x-forwarded-for: 1.2.3.4",
  "x-envoy-auth-partial-body: true",
  "x-other: 1",
];

interface Sent {
  readonly head: readonly string[];
  readonly body?: string;
}

const requests: Readonly<Record<string, Sent>> = {
  "many headers": { head: ["GET /a/b?q=1&r=%20x HTTP/1.1", ...busy] },
  "a short body": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 5", "x-a: 1"], body: "hell\xff" },
  "a body of the limit": { head: ["PUT /p HTTP/1.1", "host: a", "content-length: 8"], body: "12345678" },
  "a body beyond the limit": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 9"], body: "123456789" },
  "a long body": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 4000"], body: "z".repeat(4000) },
  "a chunked body": {
    head: ["POST /p HTTP/1.1", "host: a", "transfer-encoding: chunked"],
    body: "5\r\nhello\r\n0\r\n\r\n",
  },
  "an empty chunked body": { head: ["POST /p HTTP/1.1", "host: a", "transfer-encoding: chunked"], body: "0\r\n\r\n" },
  "a POST without a body": { head: ["POST /p HTTP/1.1", "host: a", "content-length: 0"] },
  "te and connection": { head: ["OPTIONS /o HTTP/1.1", "host: a", "te: trailers", "connection: te"] },
  HEAD: { head: ["HEAD //x/%2e%2E/../y HTTP/1.1", "host: [::1]:8080"] },
  "a DELETE with a body": { head: ["DELETE /p HTTP/1.1", "host: a", "content-length: 3"], body: "abc" },
  "an odd method": { head: ["PROPFIND /;a=b HTTP/1.1", "host: a"] },
};

for (const name of Object.keys(providers)) {
  test(`a provider is asked as Istio's Envoy asks it: ${name}`, async (t) => {
    if ((await envoyOrSkip(t)) === undefined) return;
    for (const [title, { head, body }] of Object.entries(requests)) {
      const more = body === undefined ? {} : { body };
      scene.taken();
      const answered = await http1(scene.envoy.port(name), head, more);
      const expected = scene.taken();
      await http1(scene.envoy.port("garita"), head, more);
      const { outcome } = await scene.askOurselves(name);
      if (answered.status === 413) {
        assert.deepEqual([outcome, answered.body], [{ kind: "bodyTooLarge" }, "Payload Too Large"], title);
      } else {
        assert.equal(outcome.kind, "allowed", `${title}: ${JSON.stringify(outcome)}`);
        assert.equal(expected.length, 1, title);
      }
      assert.deepEqual(scene.taken(), expected, title);
    }
    const request = {
      ":method": "GET",
      ":path": "/h2?x",
      ":authority": "h.example",
      cookie: ["a=1", "b=2"],
      "x-t": "1",
    };
    await h2(scene.envoy.port(name), request);
    const expected = scene.taken();
    await h2(scene.envoy.port("garita"), request);
    await scene.askOurselves(name);
    assert.deepEqual(scene.taken(), expected, "HTTP/2");
  });
}

test("a connection is told as Istio's Envoy tells it", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  scene.grpc.answer(() => Buffer.of());
  scene.taken();
  const talk = (name: string) =>
    exchange(scene.envoy.port(name), "hello", { until: (received) => received.length >= 5 });
  assert.equal(await talk("tcp"), "hello");
  const expected = scene.taken();
  assert.equal(await talk("garitaTcp"), "hello");
  assert.equal((await scene.askOurselves("grpc")).outcome.kind, "allowed");
  assert.deepEqual(scene.taken(), expected);
  scene.grpc.answer(() => answerBytes(7, denied({ status: status(401) })));
  assert.equal(await talk("tcp"), "");
  await talk("garitaTcp");
  assert.equal((await scene.askOurselves("grpc")).outcome.kind, "denied");
});

test("the filter for the HTTP service sends bodies and says that it does", async (t) => {
  if ((await envoyOrSkip(t)) === undefined) return;
  scene.http.answer((socket) => void socket.write(httpResponse(200)));
  scene.taken();
  await http1(scene.envoy.port("service"), ["POST /p HTTP/1.1", "host: a", "content-length: 12", "x-garita-body: 1"], {
    body: "123456789abc",
  });
  const [asked] = scene.http.take();
  assert.equal(asked?.body, "123456789");
  const lines = (wanted: string) => asked?.headers.filter(([name]) => name === wanted).map(([, value]) => value);
  assert.deepEqual([lines("x-garita-body"), lines("x-envoy-auth-partial-body")], [["9"], ["true"]]);
});
