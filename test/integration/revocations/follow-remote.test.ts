import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { DenyListEvents } from "#ca/deny-list/follow-deny-list";
import type { DenyListLinkStart } from "#ca/deny-list/open-link";
import { signDenyList } from "#ca/deny-list/sign-deny-list";
import { writePem } from "#ca/x509/pem";
import type { RevocationsConfig } from "#cli/config/model";
import { followRemote } from "#cli/serve/revocations/follow-remote";
import { readRemoteBundle, readRemoteClient } from "#cli/serve/revocations/remote-files";
import { systemClock } from "#platform/clock";
import { makeSigner } from "#test/support/ca/deny-list-signer";
import { makeAuthority } from "#test/support/ca/make-certificate";
import { recordLog } from "#test/support/ca/record-log";
import { denyListOf } from "#test/support/deny-lists";
import { createFakeTime } from "#test/support/keys/fake-time";
import { tempFolder } from "#test/support/service/temp-folder";

const root = makeAuthority({ kind: "P-256", profile: "root" });
const issuing = makeAuthority({ kind: "P-256", profile: "issuing", issuer: root });
const bundle = writePem("CERTIFICATE", root.certificate.der);
const signed = (sequence: number) =>
  signDenyList(denyListOf({ sequence, issuedMillis: Date.now() }), makeSigner(issuing));

interface OpenedLink {
  readonly start: DenyListLinkStart;
  readonly events: DenyListEvents;
  closed: boolean;
}

async function scene(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>) {
  const folder = await tempFolder(t);
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
  for (const [name, content] of Object.entries(files)) await write(name, content);
  const config: RevocationsConfig = {
    trustDomain: "cluster.local",
    address: { kind: "tcp", host: "ca.example", port: 15012 },
    serverName: "ca",
    bundleFile: join(folder, "bundle.pem"),
    certificateFile: join(folder, "chain.pem"),
    keyFile: join(folder, "key.pem"),
    stateFile: join(folder, "deny-list"),
    required: false,
  };
  const { log, lines } = recordLog();
  const links: OpenedLink[] = [];
  const waiting = new Set<() => void>();
  const inForce: number[] = [];
  const timers = createFakeTime();
  const parts = {
    openLink(start: DenyListLinkStart, events: DenyListEvents) {
      const link = { start, events, closed: false };
      links.push(link);
      for (const tell of waiting) tell();
      return {
        close() {
          link.closed = true;
        },
      };
    },
    clock: systemClock,
    timers,
    log,
  };
  const following = followRemote(config, undefined, ({ sequence }) => void inForce.push(sequence), parts);
  t.after(async () => (await following).stop());
  return {
    folder,
    write,
    links,
    lines,
    inForce,
    timers,
    following,
    async opened(count: number) {
      while (links.length < count)
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
        });
      return links[count - 1]!;
    },
  };
}

const client = { "chain.pem": "a chain", "key.pem": "a key" };

test("the authority is asked with the files, and the start is over when it has answered", async (t) => {
  const { opened, following, inForce } = await scene(t, { ...client, "bundle.pem": bundle });
  const { start, events } = await opened(1);
  assert.deepEqual(start, {
    trustDomain: "cluster.local",
    address: { kind: "tcp", host: "ca.example", port: 15012 },
    serverName: "ca",
    rootsPem: bundle,
    client: { certPem: "a chain", keyPem: "a key" },
  });
  events.connected();
  assert.equal(events.update(signed(7)), undefined);
  const { status } = await following;
  assert.deepEqual([inForce, status().connected, status().list?.from], [[7], true, "authority"]);
});

test("an authority that says nothing is not waited for longer than a second, and what the disk holds counts meanwhile", async (t) => {
  const { opened, following, inForce, timers } = await scene(t, {
    ...client,
    "bundle.pem": bundle,
    "deny-list": signed(5),
  });
  await opened(1);
  assert.deepEqual(inForce, [5]);
  while (timers.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
  await timers.advance(1_000);
  const { status } = await following;
  assert.deepEqual([status().list?.from, status().connected], ["disk", false]);
});

test("files that are not there are told, and looked at when they come", async (t) => {
  const { write, opened, following, inForce, lines } = await scene(t, { "deny-list": signed(5) });
  const { status } = await following;
  assert.match(status().reason ?? "", /bundle\.pem` cannot be read/);
  assert.equal(lines.length, 1);
  await write("bundle.pem", bundle);
  await write("chain.pem", "a chain");
  await write("key.pem", "a key");
  await opened(1);
  assert.deepEqual(inForce, [5], "the list that was kept counts as soon as there are roots");
});

test("another certificate makes another connection before the old one ends; a bundle that is none changes nothing", async (t) => {
  const { write, folder, links, opened, following, lines } = await scene(t, { ...client, "bundle.pem": bundle });
  const first = await opened(1);
  first.events.connected();
  first.events.update(signed(7));
  const { status, stop } = await following;
  await write("bundle.pem", "nothing");
  while (!lines.some(({ message }) => message.startsWith("the files"))) await new Promise((r) => setImmediate(r));
  assert.deepEqual([links.length, first.closed, status().connected], [1, false, true]);
  await write("next.pem", "another chain");
  await rename(join(folder, "next.pem"), join(folder, "chain.pem"));
  await write("bundle.pem", bundle);
  const second = await opened(2);
  assert.deepEqual([second.start.client.certPem, first.closed], ["another chain", true]);
  await stop();
  assert.equal(second.closed, true);
});

test("what is wrong with a file is told by its name", async (t) => {
  const folder = await tempFolder(t);
  const files = { bundleFile: join(folder, "bundle.pem"), certificateFile: join(folder, "chain.pem") };
  const config = { ...files, keyFile: join(folder, "key.pem") } as RevocationsConfig;
  await assert.rejects(readRemoteBundle(config), { code: "deny-list/files", message: /bundle\.pem` cannot be read/ });
  await writeFile(config.bundleFile, "nothing");
  await assert.rejects(readRemoteBundle(config), { code: "deny-list/files", message: /bundle\.pem` holds no roots/ });
  await writeFile(config.certificateFile, "a chain");
  await assert.rejects(readRemoteClient(config), { code: "deny-list/files", message: /key\.pem` cannot be read/ });
});
