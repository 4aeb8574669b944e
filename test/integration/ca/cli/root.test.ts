import assert from "node:assert/strict";
import { test } from "node:test";
import { CodedError } from "#platform/coded-error";
import { fakePlan, fakeRecord } from "#test/support/ca/fake-authority";
import { runAuthority } from "#test/support/ca/running-authority";
import { cli } from "#test/support/cli/run-cli";

const { spiffeId } = fakeRecord;

test("root status: the roots, the next step, and who holds it up, each in a line", async (t) => {
  const { admin } = await runAuthority(t);
  const { status, out, err } = await cli(["ca", "root", "status", "--admin", admin]);
  assert.deepEqual([status, err], [0, ""]);
  assert.match(out, /^bundle {2}sequence 8, version cd\n/);
  assert.match(out, /\nab {4}published {2}O=cluster\.local,CN=root 2 {2}2030-01-01T00:00:00Z/);
  assert.match(out, /\nroot ab goes from published to propagated, and waits for:\n/);
  assert.match(out, new RegExp(`\n {2}${spiffeId}, certificate 0a1b, until 2030-01-01`));
  assert.match(out, /\n {2}.*, stream of web-1, which refuses the bundle: no.*room\n/);
  assert.match(out, /\nnot waited for: spiffe:\/\/cluster\.local\/gone, by the operator at .*: lost\n$/);
  const json = JSON.parse((await cli(["ca", "root", "status", "--admin", admin, "--format", "json"])).out);
  assert.equal(json.steps[0].waitsFor, 3);
});

test("root status: a step that nobody holds up is taken soon", async (t) => {
  const { admin, service } = await runAuthority(t);
  const rotation = await service.root.status();
  const steps = rotation.steps.map((step) => ({ ...step, heldUpBy: [] }));
  Object.assign(service.root, { status: async () => ({ ...rotation, steps }) });
  const { out } = await cli(["ca", "root", "status", "--admin", admin]);
  assert.match(out, /\nroot ab goes from published to propagated at the next look, within a minute\n/);
});

test("root rotate, abort and waive ask for it, and tell how it stands then", async (t) => {
  const { admin, calls } = await runAuthority(t);
  for (const args of [["rotate"], ["abort"], ["waive", spiffeId, "--reason", "its machine is gone"]]) {
    const { status, out } = await cli(["ca", "root", ...args, "--admin", admin]);
    assert.equal(status, 0);
    assert.match(out, /root ab goes from published to propagated/);
  }
  assert.deepEqual(calls, [
    ["root.rotate", "operator"],
    ["root.abort", "operator"],
    ["root.waive", spiffeId, "its machine is gone", "operator"],
  ]);
});

test("an emergency names who breaks, and is done for the typed text alone", async (t) => {
  const { admin, calls } = await runAuthority(t);
  const args = ["ca", "root", "rotate", "--emergency", "--admin", admin];
  for (const input of ["yes\n", "", `${fakePlan.confirmation}!\n`]) {
    const refused = await cli(args, { input });
    assert.deepEqual([refused.status, refused.out], [10, ""]);
    assert.match(refused.err, /put in force now.*: 1 identity breaks\.\n {2}spiffe:.*certificate 0a1b/);
    assert.match(refused.err, /To have it done, type:\nactivate ab leaving 1 behind\n/);
    assert.match(refused.err, /nothing was done\n$/);
  }
  assert.deepEqual(
    calls.map(([name]) => name),
    ["root.plan", "root.plan", "root.plan"],
  );
  const typed = await cli(args, { input: `${fakePlan.confirmation}\nmore` });
  assert.equal(typed.status, 0);
  assert.deepEqual(calls.at(-1), ["root.force", fakePlan.confirmation, undefined, "operator"]);
  const scripted = await cli([...args, "--remove", "ab", "--confirm", fakePlan.confirmation]);
  assert.equal(scripted.status, 0);
  assert.deepEqual(calls.slice(-2), [
    ["root.plan", "ab"],
    ["root.force", fakePlan.confirmation, "ab", "operator"],
  ]);
});

test("an emergency with no root on its way makes one first; options that belong to it are for it alone", async (t) => {
  let isMade = false;
  const { admin, service } = await runAuthority(t);
  Object.assign(service.root, {
    async plan() {
      if (!isMade) throw new CodedError("ca-rotation/none", "no root is on its way");
      return fakePlan;
    },
    rotate: ((made) => async (by: string) => {
      isMade = true;
      return made(by);
    })(service.root.rotate),
  });
  const { status } = await cli([
    ...["ca", "root", "rotate", "--emergency", "--admin", admin],
    ...["--confirm", fakePlan.confirmation],
  ]);
  assert.deepEqual([status, isMade], [0, true]);
  const none = await cli(["ca", "root", "rotate", "--confirm", "x", "--admin", admin]);
  assert.deepEqual([none.status, none.out], [2, ""]);
  assert.match(none.err, /`--confirm` is for --emergency/);
});

test("what cannot be done is refused with its code", async (t) => {
  const { admin, service } = await runAuthority(t);
  Object.assign(service.root, {
    abort: () => Promise.reject(new CodedError("ca-rotation/too-late", "the new root is in force")),
  });
  const { status, out, err } = await cli(["ca", "root", "abort", "--admin", admin]);
  assert.deepEqual([status, out, err], [1, "", "garita: the new root is in force [ca-rotation/too-late]\n"]);
});

test("forecast: when proxies break, and who does without an authority", async (t) => {
  const { admin } = await runAuthority(t);
  const { status, out } = await cli(["ca", "forecast", "--admin", admin]);
  assert.equal(status, 0);
  assert.match(
    out,
    /^3 proxies, 2 identities\nif the authority stopped now +the first proxy breaks in .* \(spiffe:.*\), half by /,
  );
  assert.match(out, /\nif the root ab were removed +3 proxies of 2 identities at once: spiffe:.*, …\n$/);
  const json = JSON.parse((await cli(["ca", "forecast", "--admin", admin, "--format", "json"])).out);
  assert.equal(json.ifRemoved[0].proxies, 3);
});
