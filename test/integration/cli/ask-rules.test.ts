import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { askAdmin } from "#cli/request/admin-door";
import { cli } from "#test/support/cli/run-cli";
import { createFakeTime } from "#test/support/keys/fake-time";

/** A server that answers everything so. Ends with the test. */
async function answering(t: TestContext, body: string): Promise<string> {
  const server = createServer((_request, response) => response.end(body)).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("what answers as no admin API does is not taken for one", async (t) => {
  for (const body of [
    "",
    "<html>",
    "null",
    "[]",
    "{}",
    '{"ok":true}',
    '{"ok":"false","result":"refused"}',
    '{"ok":true,"result":1}',
  ]) {
    for (const command of [["sync"], ["unpin"], ["pin", "0123456", "--for", "1h"], ["status"]]) {
      const { status, out, err } = await cli([...command, "--admin", await answering(t, body)]);
      assert.deepEqual([status, out], [1, ""], body);
      assert.match(err, /answered 200, not as an admin API does \[service\/answer\]\n$/);
    }
  }
});

test("what is in force is told, and the status says whether it is what was asked for", async (t) => {
  const admin = await answering(
    t,
    '{"ok":false,"result":"refused","commit":"r1\\u001b[2J","message":"no","code":"git/forced"}',
  );
  const { status, out, err } = await cli(["sync", "--admin", admin]);
  assert.deepEqual([status, err], [5, ""]);
  assert.equal(out, "refused: no [git/forced]\nin force: r1\ufffd[2J\nno rule set is in force\n");
});

test("fields of an answer that are of another kind are not told", async (t) => {
  for (const [body, told] of [
    ['{"ok":true,"result":"activated","commit":{},"digest":"d"}', "activated\ndigest: d\n"],
    ['{"ok":true,"result":"activated","code":1,"digest":"d"}', "activated\ndigest: d\n"],
    [
      '{"ok":true,"result":"activated","pinnedUntilMillis":1e99,"expiresMillis":1e99}',
      "activated\nno rule set is in force\n",
    ],
    ['{"ok":true,"result":"activated","refused":{"commit":[]},"digest":{}}', "activated\n"],
  ] as const) {
    const { status, out, err } = await cli(["sync", "--admin", await answering(t, body)]);
    assert.deepEqual([status, out, err], [0, told, ""], body);
  }
});

test("a status page of which little is there, or of another kind, is told as far as it goes", async (t) => {
  for (const [rules, told] of [
    ["{}", "policies: none, every request is denied\n"],
    ['{"active":null}', "policies: none, every request is denied\n"],
    [
      '{"active":{"digest":1,"sinceMillis":1e99,"counts":[]},"candidate":{"diagnostics":[{"severity":"error"},1]}}',
      "policies: degraded, too old to be ready\nholds: nothing\n",
    ],
  ] as const) {
    const body = `{"rules":${rules.replace(/\}$/, `${rules === "{}" ? "" : ","}"ready":false,"current":false}`)},"warnings":[1,"a\\u001bb"]}`;
    const { status, out, err } = await cli(["status", "--admin", await answering(t, body)]);
    assert.deepEqual([status, err], [5, ""], body);
    assert.equal(out, `garita ?, started ?\n${told}warning: a\ufffdb\n`);
  }
});

test("faults of a folder, which has no revisions, stand under a line of their own", async (t) => {
  const error = {
    severity: "error",
    code: "yaml/syntax",
    file: "a.yaml",
    start: { line: 1, column: 2 },
    message: "no",
  };
  const rules = { ready: true, current: false, active: { digest: "d" }, candidate: { diagnostics: [error] } };
  const { out } = await cli(["status", "--admin", await answering(t, JSON.stringify({ rules }))]);
  assert.match(out, /^holds: nothing\nrefused: what was read last\n {2}a\.yaml:1:2: no \[yaml\/syntax\]\n$/m);
  const many = { ...rules, candidate: { diagnostics: Array(21).fill(error) } };
  const told = await cli(["status", "--admin", await answering(t, JSON.stringify({ rules: many }))]);
  assert.match(told.out, /(?:\n {2}a\.yaml:1:2: .*){20}\n {2}more are told by `--format json`\n$/);
});

test("an answer without an end is given up: by its size, and by the time that it takes", async (t) => {
  const server = createServer((request, response) => {
    const more = () => {
      while (request.url === "/v1/status" && !response.destroyed && response.write("x".repeat(1024 * 1024)));
    };
    response.on("drain", more);
    response.write("{");
    more();
  }).listen(0, "127.0.0.1");
  t.after(() => server.close().closeAllConnections());
  await once(server, "listening");
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { status, err } = await cli(["status", "--admin", admin]);
  assert.equal(status, 1);
  assert.match(err, /cannot be asked: the answer has more than 67108864 bytes \[service\/unreachable\]\n$/);

  const time = createFakeTime();
  const slow = { admin, method: "GET", path: "/slow", tokenFile: undefined, body: undefined } as const;
  const answer = askAdmin(
    { ...slow, patienceMillis: 30_000, timers: time },
    (found): found is object => found !== undefined,
  );
  const refused = assert.rejects(answer, { code: "service/unreachable", message: /no answer in 30 s$/ });
  await once(server, "request");
  await time.advance(30_000);
  await refused;
  assert.equal(time.pending(), 0);
});

test("credentials in an address are refused, and not repeated", async () => {
  for (const admin of ["http://admin:hunter2@127.0.0.1:1", "https://hunter2@127.0.0.1:1"]) {
    const { status, err } = await cli(["sync", "--admin", admin]);
    assert.equal(status, 2);
    assert.doesNotMatch(err, /hunter2/);
  }
});
