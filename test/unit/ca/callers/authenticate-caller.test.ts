import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CallerMethods, createAuthenticateCaller } from "#ca/callers/authenticate-caller";
import type { Caller } from "#ca/callers/contract";
import { renderJoinToken } from "#ca/callers/join-token-text";
import { type MethodAnswer, refused, unavailable } from "#ca/callers/method";
import { credentialsOf, idOf } from "#test/support/ca/callers";

const id = idOf("spiffe://example.org/ns/foo/sa/web");
const svid: Caller = { method: "x509-svid", id, fingerprint: "ab", serialHex: "01" };
const jwt: Caller = { method: "jwt", issuer: "issuer", subject: "alice", claims: {}, evidence: "cd" };
const join: Caller = { method: "join-token", id, tokenHash: "ef" };
const joinToken = renderJoinToken(new Uint8Array(32), "0".repeat(64));
const chain = [new Uint8Array([1])];
const good = (caller: Caller): MethodAnswer => ({ ok: true, caller });

/** Answers of the methods, which of them were asked, and what went wrong with us. */
function sceneOf(
  answers: Partial<Record<"certificate" | "token" | "join", MethodAnswer | Error>> & {
    readonly ended?: MethodAnswer;
  },
) {
  const asked: string[] = [];
  const defects: unknown[] = [];
  const answer = (name: "certificate" | "token" | "join") => async () => {
    asked.push(name);
    const found = answers[name];
    if (found === undefined || found instanceof Error) throw found ?? new Error(`${name} was not to be asked`);
    return found;
  };
  const methods: CallerMethods = {
    clientCertificate: answer("certificate"),
    endedCertificate: async () => answers.ended,
    token: answer("token"),
    joinToken: answer("join"),
    onDefect: (defect) => defects.push(defect),
  };
  return { authenticate: createAuthenticateCaller(methods), asked, defects };
}

describe("a caller", () => {
  it("who brings nothing is none", async () => {
    const { authenticate } = sceneOf({});
    assert.deepEqual(await authenticate(credentialsOf(), 0), { ok: false, kind: "none", attempts: [] });
  });

  it("is whom the first good credential says", async () => {
    const all = { clientCertificates: chain, bearer: "a.b.c", operatorSocket: true };
    const first = sceneOf({ certificate: good(svid), token: good(jwt) });
    assert.deepEqual(await first.authenticate(credentialsOf(all), 0), { ok: true, caller: svid, attempts: [] });
    assert.deepEqual(first.asked, ["certificate"]);

    const second = sceneOf({ certificate: refused("expired"), token: good(jwt) });
    assert.deepEqual(await second.authenticate(credentialsOf(all), 0), {
      ok: true,
      caller: jwt,
      attempts: [{ method: "x509-svid", reason: "expired" }],
    });

    const third = sceneOf({ certificate: refused("expired"), token: refused("no") });
    assert.deepEqual(await third.authenticate(credentialsOf(all), 0), {
      ok: true,
      caller: { method: "operator" },
      attempts: [
        { method: "x509-svid", reason: "expired" },
        { method: "jwt", reason: "no" },
      ],
    });
  });

  it("with a join token is asked for nothing else", async () => {
    const { authenticate, asked } = sceneOf({ join: good(join) });
    assert.deepEqual(await authenticate(credentialsOf({ bearer: joinToken }), 0), {
      ok: true,
      caller: join,
      attempts: [],
    });
    const later = sceneOf({ join: refused("of another version") });
    await later.authenticate(credentialsOf({ bearer: joinToken.replace("join-1", "join-2") }), 0);
    assert.deepEqual([asked, later.asked], [["join"], ["join"]]);
  });

  it("is never one by a credential that is empty", async () => {
    const { authenticate, asked } = sceneOf({ token: refused("empty") });
    const answer = await authenticate(credentialsOf({ bearer: "" }), 0);
    assert.deepEqual(answer, { ok: false, kind: "refused", attempts: [{ method: "jwt", reason: "empty" }] });
    assert.deepEqual(asked, ["token"]);
  });

  it("may come again where something could not be looked at, and nothing else was good", async () => {
    const both = credentialsOf({ clientCertificates: chain, bearer: "a.b.c" });
    const kindOf = async (certificate: MethodAnswer, token: MethodAnswer) => {
      const answer = await sceneOf({ certificate, token }).authenticate(both, 0);
      return answer.ok ? answer.caller.method : answer.kind;
    };
    assert.equal(await kindOf(unavailable("x"), refused("y")), "unavailable");
    assert.equal(await kindOf(refused("x"), unavailable("y")), "unavailable");
    assert.equal(await kindOf(refused("x"), refused("y")), "refused");
    assert.equal(await kindOf(unavailable("x"), good(jwt)), "jwt");
  });

  it("is not told of a defect of ours, which the log is", async () => {
    const defect = new Error("defect");
    const { authenticate, defects } = sceneOf({ certificate: defect, token: good(jwt) });
    const both = credentialsOf({ clientCertificates: chain, bearer: "a.b.c" });
    const answer = await authenticate(both, 0);
    assert.ok(answer.ok);
    assert.deepEqual(answer.attempts, [{ method: "x509-svid", reason: "a defect of ours: see the log" }]);
    assert.deepEqual(defects, [defect]);
    const alone = await authenticate(credentialsOf({ clientCertificates: chain }), 0);
    assert.ok(!alone.ok);
    assert.equal(alone.kind, "unavailable");
  });
});
