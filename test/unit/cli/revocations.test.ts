import assert from "node:assert/strict";
import { test } from "node:test";
import type { DenyListStatus } from "#ca/deny-list/follow-deny-list";
import type { RevocationsConfig } from "#cli/config/model";
import { createRevocations } from "#cli/serve/revocations/create";
import { revocationWarnings } from "#cli/serve/revocations/warnings";
import type { DenyList } from "#identity/deny-list/deny-list";
import { createMetrics } from "#platform/metrics";
import { denyListOf } from "#test/support/deny-lists";

const config: RevocationsConfig = {
  trustDomain: "cluster.local",
  address: { kind: "tcp", host: "ca.example", port: 15012 },
  serverName: undefined,
  bundleFile: "/b",
  certificateFile: "/c",
  keyFile: "/k",
  stateFile: "/s",
  required: false,
};
const clock = { nowMillis: () => 1_800_000_007_000, monotonicMillis: () => 0 };
const offline: DenyListStatus = {
  trustDomain: "cluster.local",
  list: undefined,
  connected: false,
  sinceMillis: Date.UTC(2030, 0, 1),
  reason: "no route",
  refused: undefined,
  refusals: 0,
  unkept: undefined,
};

function scene() {
  const metrics = createMetrics();
  const told: (number | undefined)[] = [];
  const followed: { readonly address: string; readonly held: number | undefined }[] = [];
  const stopped: number[] = [];
  let status = offline;
  let send = (_list: DenyList) => {};
  const revocations = createRevocations({
    onList: () => void told.push(revocations.current()?.sequence),
    clock,
    metrics,
    async follow({ address }, held, onList) {
      assert.ok(address.kind === "tcp");
      followed.push({ address: address.host, held: held?.sequence });
      send = onList;
      return {
        status: () => status,
        async stop() {
          stopped.push(followed.length);
        },
      };
    },
  });
  return {
    revocations,
    metrics,
    told,
    followed,
    stopped,
    send: (list: DenyList) => send(list),
    become(next: DenyListStatus) {
      status = next;
    },
  };
}

test("without a source there is no list, nothing is told of it, and everything is ready", async () => {
  const { revocations, metrics } = scene();
  await revocations.become(undefined, false);
  assert.deepEqual(
    [revocations.current(), revocations.status(), revocations.warnings(), revocations.ready()],
    [undefined, undefined, [], true],
  );
  assert.doesNotMatch((await metrics.render()).text, /^garita_deny_list/m);
});

test("a list that is required makes ready when it comes; one that is not is missed by a warning", async () => {
  const { revocations, send, told } = scene();
  await revocations.become(config, false);
  assert.equal(revocations.ready(), true);
  assert.deepEqual(revocations.warnings(), [
    "deny list: there is none yet, so that nothing is refused for being revoked",
    "deny list: not connected to the authority since 2030-01-01T00:00:00.000Z: no route",
  ]);
  await revocations.become({ ...config, required: true }, false);
  assert.deepEqual([revocations.ready(), revocations.status()?.ready], [false, false]);
  assert.deepEqual([revocations.inForce(), told], ["awaited", [undefined]], "whoever looks it up was told");
  const list = denyListOf();
  send(list);
  assert.deepEqual([revocations.ready(), revocations.inForce(), told], [true, list, [undefined, 7]]);
  await revocations.become({ ...config, trustDomain: "other.local", required: true }, false);
  assert.deepEqual([revocations.ready(), revocations.inForce()], [false, "awaited"], "a list of others is none");
});

test("another configuration begins anew with the list that is in force, if it is of the same trust domain", async () => {
  const { revocations, send, followed, stopped, told } = scene();
  await revocations.become(config, false);
  await revocations.become({ ...config }, false);
  send(denyListOf());
  await revocations.become({ ...config, address: { kind: "tcp", host: "other.example", port: 1 } }, false);
  assert.equal(revocations.current()?.sequence, 7);
  await revocations.become({ ...config, trustDomain: "other.local" }, false);
  assert.deepEqual(followed, [
    { address: "ca.example", held: undefined },
    { address: "other.example", held: 7 },
    { address: "ca.example", held: undefined },
  ]);
  assert.deepEqual(stopped, [1, 2]);
  await revocations.become(undefined, false);
  assert.deepEqual([revocations.current(), told], [undefined, [7, undefined]]);
});

test("from an authority elsewhere to an own one, and back, there is a list at every moment", async () => {
  const { revocations, send, told } = scene();
  await revocations.become(config, false);
  send(denyListOf({ sequence: 1 }));
  revocations.own(denyListOf({ sequence: 2 }));
  await revocations.become(undefined, true);
  assert.equal(revocations.status()?.source, "own");
  await revocations.become(config, false);
  send(denyListOf({ sequence: 3 }));
  assert.deepEqual(told, [1, 2, 3]);
});

test("status and metrics tell sequence, age, members, connection and refusals", async () => {
  const { revocations, send, become, metrics } = scene();
  await revocations.become(config, false);
  send(denyListOf({ identities: ["spiffe://cluster.local/a"] }));
  const list = { sequence: 7, issuedMillis: 0, certificates: 0, identities: 1, from: "authority" } as const;
  become({ ...offline, list, connected: true, reason: undefined, refusals: 3 });
  assert.deepEqual(revocations.status(), {
    source: "remote",
    ready: true,
    trustDomain: "cluster.local",
    connected: true,
    sinceMillis: offline.sinceMillis,
    reason: undefined,
    refused: undefined,
    refusals: 3,
    unkept: undefined,
    list: { sequence: 7, ageSeconds: 7, certificates: 0, identities: 1, from: "authority" },
  });
  const { text } = await metrics.render();
  for (const line of [
    "garita_deny_list_sequence 7",
    "garita_deny_list_age_seconds 7",
    'garita_deny_list_entries{kind="certificate"} 0',
    'garita_deny_list_entries{kind="identity"} 1',
    "garita_deny_list_connected 1",
    "garita_deny_list_refused 3",
  ]) {
    assert.ok(text.split("\n").includes(line), `${line}\n${text}`);
  }
});

test("what was refused and what cannot be kept are warnings, with their codes; an own list has none", () => {
  const at = { atMillis: 0 };
  const status = { ...offline, source: "remote", ready: true, connected: true, reason: undefined } as const;
  const list = { sequence: 7, ageSeconds: 7, certificates: 0, identities: 1, from: "authority" } as const;
  assert.deepEqual(revocationWarnings({ ...status, list }), []);
  const warnings = revocationWarnings({
    ...status,
    list,
    refused: { ...at, code: "deny-list/older", message: "it is older" },
    unkept: { ...at, code: "deny-list/state-file", message: "no room" },
  });
  assert.deepEqual(warnings, [
    "deny list: one was refused: it is older [deny-list/older]",
    "deny list: the one in force is not kept: no room",
  ]);
  assert.deepEqual(revocationWarnings({ source: "own", ready: true, trustDomain: undefined, list: undefined }), []);
});
