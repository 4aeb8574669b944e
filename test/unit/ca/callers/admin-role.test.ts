import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Admin, createRoleOf } from "#ca/callers/admin-role";
import { type MethodAnswer, refused } from "#ca/callers/method";
import { credentialsOf, idOf } from "#test/support/ca/callers";

const console = "spiffe://example.org/ns/ops/sa/console";
const reader = "spiffe://example.org/ns/ops/sa/reader";
const admins: readonly Admin[] = [
  { spiffeId: console, role: "operator" },
  { spiffeId: reader, role: "auditor" },
];
const chain = [new Uint8Array([1])];

function roleOf(answer: MethodAnswer | Error, listed = admins) {
  const defects: unknown[] = [];
  const ask = createRoleOf({
    admins: () => listed,
    async clientCertificate() {
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onDefect: (defect) => defects.push(defect),
  });
  return { ask, defects };
}

const svid = (text: string): MethodAnswer => ({
  ok: true,
  caller: { method: "x509-svid", id: idOf(text), fingerprint: "ab", serialHex: "01" },
});

describe("the role of an administrator", () => {
  it("is the operator's at the operator's socket", async () => {
    const { ask } = roleOf(new Error("not to be asked"));
    assert.deepEqual(await ask(credentialsOf({ operatorSocket: true, bearer: "a.b.c" }), 0), {
      role: "operator",
      who: "operator",
      reason: "the operator's socket",
    });
  });

  it("is that of the list, for exactly the identity that is listed", async () => {
    const withCertificate = credentialsOf({ clientCertificates: chain });
    const found = async (text: string) => (await roleOf(svid(text)).ask(withCertificate, 0)).role;
    assert.equal(await found(console), "operator");
    assert.equal(await found(reader), "auditor");
    for (const text of [
      `${console}/x`,
      console.slice(0, -1),
      console.replace("console", "Console"),
      "spiffe://example.org",
    ]) {
      assert.equal(await found(text), undefined, text);
    }
    const { ask } = roleOf(svid(`${console}2`));
    assert.deepEqual(await ask(withCertificate, 0), {
      role: undefined,
      who: `${console}2`,
      reason: `\`${console}2\` is not in \`ca.admins\``,
    });
  });

  it("is the lesser one where an identity is listed twice", async () => {
    for (const roles of [["operator", "auditor"] as const, ["auditor", "operator"] as const]) {
      const { ask } = roleOf(
        svid(console),
        roles.map((role) => ({ spiffeId: console, role })),
      );
      assert.equal((await ask(credentialsOf({ clientCertificates: chain }), 0)).role, "auditor");
    }
  });

  it("is none without a good certificate, whatever token comes with it", async () => {
    const none = roleOf(new Error("not to be asked"));
    assert.deepEqual(await none.ask(credentialsOf({ bearer: "a.b.c" }), 0), {
      role: undefined,
      who: "nobody",
      reason: "no client certificate",
    });
    const bad = roleOf(refused("the certificate 01 is revoked"));
    assert.deepEqual(await bad.ask(credentialsOf({ clientCertificates: chain, bearer: "a.b.c" }), 0), {
      role: undefined,
      who: "nobody",
      reason: "the certificate 01 is revoked",
    });
    const other = roleOf({ ok: true, caller: { method: "operator" } });
    assert.equal((await other.ask(credentialsOf({ clientCertificates: chain }), 0)).role, undefined);
  });

  it("is none where there is a defect of ours, which the log is told", async () => {
    const defect = new Error("defect");
    const { ask, defects } = roleOf(defect);
    assert.equal((await ask(credentialsOf({ clientCertificates: chain }), 0)).role, undefined);
    assert.deepEqual(defects, [defect]);
  });
});
