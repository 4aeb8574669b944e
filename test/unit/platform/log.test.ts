import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createLog } from "#platform/log";

function lines(write: (log: ReturnType<typeof createLog>) => void, level: "info" | "warn" = "info"): string[] {
  const stream = new PassThrough();
  write(createLog({ level, stream }));
  return String(stream.read() ?? "")
    .split("\n")
    .filter((line) => line !== "");
}

test("secrets are redacted at the top and up to two levels down", () => {
  const names = [
    "authorization",
    "cookie",
    "set-cookie",
    "x-forwarded-client-cert",
    "x-garita-secret",
    "token",
    "secret",
  ];
  const all = lines(({ log }) => {
    for (const name of names) {
      log.info({ [name]: "sesame", headers: { [name]: "sesame" }, request: { headers: { [name]: "sesame" } } }, "x");
    }
  });
  assert.equal(all.length, names.length);
  assert.doesNotMatch(all.join(), /sesame/);
  assert.match(all.join(), /\[redacted\]/);
});

test("secrets of errors and in lists are redacted too, and what is logged stays as it was", () => {
  const fields = { list: [{ token: "sesame" }], err: Object.assign(new Error("no"), { token: "sesame", status: 401 }) };
  const [line] = lines(({ log }) => log.warn(fields, "x"));
  const { list, err } = JSON.parse(line!);
  assert.deepEqual(list, [{ token: "[redacted]" }]);
  assert.deepEqual([err.type, err.message, err.status, err.token], ["Error", "no", 401, "[redacted]"]);
  assert.equal(fields.list[0]?.token, "sesame");
  assert.equal(fields.err.token, "sesame");
});

test("a line has a level by name, an ISO time and its message", () => {
  const [line] = lines(({ log }) => log.warn({ a: 1 }, "careful"));
  const { time, ...rest } = JSON.parse(line!) as Record<string, unknown>;
  assert.deepEqual(rest, { level: "warn", a: 1, msg: "careful" });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("the level can be changed while it runs", () => {
  const all = lines((output) => {
    output.log.info({}, "unheard");
    output.setLevel("info");
    output.log.info({}, "heard");
  }, "warn");
  assert.equal(all.length, 1);
});

test("a text from a request cannot begin a line of its own", () => {
  assert.equal(lines(({ log }) => log.info({ path: 'a"\n{"level":"info"}' }, "x")).length, 1);
});
