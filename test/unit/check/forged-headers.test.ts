import assert from "node:assert/strict";
import { test } from "node:test";
import { createGrpcCheck } from "#authz/check/check";
import { createHttpCheck } from "#authz/check/http-check";
import { type CheckInput, checkMessage, listenerOf, metadataOf, seeAnswer } from "../../support/check/check-message.ts";
import { allowedWith, type Stages, stagesOf, tokenOf } from "../../support/check/stages.ts";

const issuer = "https://issuer.example";
const authentication = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: foo }
spec:
  jwtRules:
    - issuer: ${issuer}
      jwksUri: ${issuer}/keys
      outputPayloadToHeader: X-Payload
      outputClaimToHeaders: [{ header: x-user, claim: name }, { header: x_role, claim: role }, { header: x-garita-sub, claim: sub }]
---`;
const custom = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask, namespace: foo }
spec: { action: CUSTOM, provider: { name: opa }, rules: [{}] }
---`;
const outputs = ["x-garita-sub", "x-payload", "x-user", "x_role"];
const workload = { namespace: "foo", labels: new Map() };

type Lines = readonly (readonly [string, string])[];

/** What Envoy makes of the upstream's request: lines set, added and removed, each name by its own. */
type Upstream = Readonly<Record<string, readonly string[]>>;

/** Over gRPC: the client's headers, those of them that Envoy sends, and what the upstream gets. */
async function throughGrpc(policies: string, client: Lines, sent: CheckInput, stages: Stages = {}): Promise<Upstream> {
  const check = createGrpcCheck(stagesOf(policies, stages));
  const { response, record } = await check(checkMessage(sent), metadataOf(), listenerOf({ workload }));
  const { allowed, headers, remove } = seeAnswer(response);
  assert.ok(allowed, `${record.decision.reason} ${record.detail}`);
  return upstreamOf(client, headers, remove);
}

async function throughHttp(policies: string, client: Lines, sent: Lines, stages: Stages = {}): Promise<Upstream> {
  const check = createHttpCheck(stagesOf(policies, stages));
  const { response, record } = await check(
    { method: "GET", target: "/", headers: [["host", "a.example"], ...sent], body: undefined },
    listenerOf({ protocol: "http", workload, upstreamHeaders: outputs }),
  );
  assert.equal(response.status, 200, `${record.decision.reason} ${record.detail}`);
  const set = response.headers.filter(([name]) => name !== "x-envoy-auth-headers-to-remove");
  const remove = response.headers.filter((line) => !set.includes(line)).flatMap(([, names]) => names.split(","));
  return upstreamOf(
    client,
    set.map(([name, value]) => `${name}: ${value}`),
    remove,
  );
}

function upstreamOf(client: Lines, set: readonly string[], remove: readonly string[]): Upstream {
  const upstream: Record<string, string[]> = {};
  for (const [name, value] of client) upstream[name] = [...(upstream[name] ?? []), value];
  const taken = new Set<string>();
  for (const line of set) {
    const [name = "", value = ""] = line.split(/: (.*)/s);
    upstream[name] = taken.has(name) ? [...(upstream[name] ?? []), value] : [value];
    taken.add(name);
  }
  for (const name of remove) delete upstream[name];
  return upstream;
}

const forged: Lines = outputs.map((name) => [name, "root"]);

test("a claim header of the client never reaches the upstream, whether or not Envoy tells of it", async () => {
  const told: readonly { readonly case: string; readonly headers: Lines }[] = [
    { case: "every header", headers: forged },
    { case: "as an HTTP/1 client may write it", headers: forged.map(([name, value]) => [name.toUpperCase(), value]) },
    { case: "several lines", headers: [...forged, ...forged] },
    { case: "none: the asking Envoy sends only some headers", headers: [] },
  ];
  for (const { case: name, headers } of told) {
    for (const joined of [false, true]) {
      assert.deepEqual(
        await throughGrpc(authentication, forged, { headers, joined }),
        {},
        `${name}, joined: ${joined}`,
      );
    }
    assert.deepEqual(await throughHttp(authentication, forged, headers), {}, `${name}, HTTP`);
  }
});

test("nor does it when a provider has allowed the request, with edits or without", async () => {
  for (const edit of [() => {}, forge]) {
    const stages = { answer: allowedWith(edit) };
    const policies = `${custom}${authentication}`;
    assert.deepEqual(await throughGrpc(policies, forged, { headers: forged }, stages), {});
    assert.deepEqual(await throughGrpc(policies, forged, {}, stages), {});
    assert.deepEqual(await throughHttp(policies, forged, forged, stages), {});
  }
  function forge(request: Parameters<NonNullable<Parameters<typeof allowedWith>[0]>>[0]): void {
    for (const name of outputs) request.set(name, ["provider"]);
  }
});

test("lines of the client that the asking Envoy tells as the claim's own text do not stand in for it", async () => {
  const two: Lines = [
    ["x-user", "root"],
    ["x-user", "eve"],
  ];
  const joined = await throughGrpc(authentication, two, { headers: [...two, ...bearer("root,eve")], joined: true });
  assert.deepEqual(joined["x-user"], ["root,eve"]);
  const http = await throughHttp(authentication, two, [["x-user", "root,eve"], ...bearer("root,eve")]);
  assert.deepEqual(http["x-user"], ["root,eve"]);
  // Envoy puts `!` where bytes are no text.
  const bytes: Lines = [["x-user", "ro\xffot"]];
  const replaced = await throughGrpc(authentication, bytes, { headers: [["x-user", "ro!ot"], ...bearer("ro!ot")] });
  assert.deepEqual(replaced["x-user"], ["ro!ot"]);
});

test("a claim under a name of Garita's own reaches the upstream in place of the client's line", async () => {
  const sent = [
    ["x-garita-sub", "root"],
    ["authorization", `Bearer ${tokenOf({ iss: issuer, sub: "eve" })}`],
  ] as const;
  assert.deepEqual((await throughGrpc(authentication, sent, { headers: sent }))["x-garita-sub"], ["eve"]);
  assert.deepEqual((await throughHttp(authentication, sent, sent))["x-garita-sub"], ["eve"]);
});

function bearer(name: string): Lines {
  return [["authorization", `Bearer ${tokenOf({ iss: issuer, name })}`]];
}
