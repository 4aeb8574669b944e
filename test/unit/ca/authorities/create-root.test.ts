import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createRoot } from "#ca/authorities/create-root";

const wanted = {
  trustDomain: "hello.mesh",
  keyKind: "P-256",
  generation: 1,
  lifetimeMillis: 86_400_000,
  nowMillis: Date.UTC(2026, 10, 26),
  random: randomBytes,
} as const;

test("a root that our own lints object to is not signed", async () => {
  await assert.rejects(createRoot({ ...wanted, lifetimeMillis: -86_400_000 }), {
    code: "ca-authority/lint",
    message: /root was refused: /,
  });
  assert.ok((await createRoot(wanted)).authority);
});
