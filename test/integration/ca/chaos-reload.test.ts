import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import type { AuditShape, StatusShape } from "#ca/transport/http/shapes";
import { atOnce } from "#test/support/ca/chaos/at-once";
import { checkRecord } from "#test/support/ca/chaos/check-record";
import { Fleet, type Held } from "#test/support/ca/chaos/fleet";
import { makeMesh } from "#test/support/ca/chaos/mesh";
import { type Served, type ServeOptions, serveProgram } from "#test/support/ca/chaos/serve-program";
import { until } from "#test/support/ca/chaos/until";

/** What hangs fails. */
const limited = { timeout: 60_000 };

async function running(t: TestContext, options: ServeOptions & { readonly names?: readonly string[] } = {}) {
  const { names = ["web"], ...serving } = options;
  const mesh = await makeMesh(t, { names });
  const served = await serveProgram(t, mesh, serving);
  const fleet = new Fleet(mesh, served);
  const own = await Promise.all(names.map(async (name) => fleet.join(await fleet.newToken(name))));
  return { mesh, served, fleet, own: own[0]!, others: own.slice(1) };
}

/** Leaves the processor to the program between two requests. */
const pauseMillis = 5;

/** Asks again and again until it is stopped, which tells how often it was answered; what fails fails that. */
function repeat(one: () => Promise<unknown>) {
  let busy = true;
  let answered = 0;
  const done = (async () => {
    while (busy) {
      await one();
      answered++;
      await wait(pauseMillis);
    }
  })();
  done.catch(() => undefined);
  return {
    async stop() {
      busy = false;
      await done;
      return answered;
    },
  };
}

/** Everything that callers do, without end. */
function load(fleet: Fleet, own: Held) {
  const all = [
    repeat(() => fleet.operate("web")),
    repeat(() => fleet.renew(own)),
    repeat(async () => fleet.join(await fleet.newToken("web"))),
  ];
  return {
    async stop() {
      for (const each of all) assert.ok((await each.stop()) > 0);
    },
  };
}

const hoursOf = ({ chain }: Held): number => {
  const { validFromDate, validToDate } = new X509Certificate(chain[0]!);
  return (validToDate.getTime() - validFromDate.getTime()) / 3_600_000;
};

/** How often all doors were opened: the socket is the last. */
const doorsOpened = (served: Served) =>
  served.said("listening").filter(({ listener }) => listener === "ca-socket").length;

describe("another configuration, and the end, under load", atOnce, () => {
  test(
    "lifetimes of another configuration count from the next request on, and no request is lost",
    limited,
    async (t) => {
      const { mesh, served, fleet, own } = await running(t);
      const asking = load(fleet, own);
      for (const hours of [2, 1, 3]) {
        await mesh.configure(`  leaf: { defaultTtlSeconds: ${hours * 3600} }\n  csrNames: strict`);
        served.signal("SIGHUP");
        await until(t, async () => Math.abs(hoursOf(await fleet.operate("web")) - hours) < 0.2);
      }
      await asking.stop();
      assert.equal(doorsOpened(served), 1, "nothing was started again");
      await checkRecord(fleet);
      await served.stop();
    },
  );

  test(
    "a `ca` section that is not valid changes nothing; one that cannot be started has the old one started again",
    limited,
    async (t) => {
      const { mesh, served, fleet, own } = await running(t);
      const asking = load(fleet, own);
      const refused = (text: string) =>
        served.heard(
          ({ msg, messages }) => /the configuration is refused/.test(String(msg)) && String(messages).includes(text),
        );
      for (const [bad, named] of [
        ["  leaf: { defaultTtlSeconds: -1 }", "defaultTtlSeconds"],
        ["  nonsense: 1", "nonsense"],
        ["  blockedKeysFile: gone.txt", "gone.txt"],
      ] as const) {
        await mesh.configure(bad);
        served.signal("SIGHUP");
        await refused(named);
        await fleet.operate("web");
      }
      await asking.stop();
      assert.equal(doorsOpened(served), 1);

      const taken = createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      t.after(() => taken.close());
      const { port } = taken.address() as { readonly port: number };
      await mesh.configure("", `127.0.0.1:${port}`);
      served.signal("SIGHUP");
      await refused("EADDRINUSE");
      assert.ok(doorsOpened(served) > 1);
      // Every reading of it stops the old one for a moment, and one edit may be read several times; readings take turns.
      const inForce = served.said("configuration in force").length;
      await mesh.configure();
      served.signal("SIGHUP");
      await until(t, async () => served.said("configuration in force").length > inForce);
      await fleet.renew(own);
      await checkRecord(fleet);
      await served.stop();
    },
  );

  test("a commit that removes a registration ends renewals at once, and nobody else notices", limited, async (t) => {
    const { mesh, served, fleet, own, others } = await running(t, { names: ["web", "db"] });
    const asking = repeat(() => fleet.renew(others[0]!));
    const token = await fleet.newToken("web");
    await rm(mesh.at("policies/web.yaml"));
    served.signal("SIGHUP");
    await served.heard(
      ({ msg, rules }) =>
        msg === "rule set in force" && rules !== undefined && served.said("rule set in force").length > 1,
    );
    await assert.rejects(fleet.renew(own), { code: 7 });
    await assert.rejects(fleet.join(token), { code: 7 });
    await assert.rejects(fleet.operate("web"));
    await mesh.register("web");
    served.signal("SIGHUP");
    await until(t, () =>
      fleet.renew(own).then(
        () => true,
        () => false,
      ),
    );
    // A refusal uses up nothing.
    await fleet.join(token);
    assert.ok((await asking.stop()) > 0);
    await checkRecord(fleet);
    await served.stop();
  });

  /** A connection to the JSON door; with it asks the bundle. */
  async function openConnection(port: number): Promise<{ readonly socket: TLSSocket; ask(): Promise<string> }> {
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return {
      socket,
      async ask() {
        socket.write("GET /v1/bundle HTTP/1.1\r\nhost: localhost\r\n\r\n");
        return String((await once(socket, "data"))[0]).split("\r\n")[0]!;
      },
    };
  }

  const serialOf = (socket: TLSSocket): string => new X509Certificate(socket.getPeerCertificate().raw).serialNumber;

  test(
    "the server certificate is renewed while connections are open: they stay, and the next see the new one; other names start the doors anew",
    limited,
    async (t) => {
      const { mesh, served, fleet, own } = await running(t);
      const asking = load(fleet, own);
      const old = await openConnection(served.httpPort);
      t.after(() => old.socket.destroy());
      assert.equal(await old.ask(), "HTTP/1.1 200 OK");
      const rotated = await mesh.own("rotate");
      assert.equal(rotated.status, 0, rotated.err);
      const next = await openConnection(served.httpPort);
      assert.notEqual(serialOf(next.socket), serialOf(old.socket));
      next.socket.destroy();
      assert.equal(await old.ask(), "HTTP/1.1 200 OK");
      await asking.stop();
      assert.equal(doorsOpened(served), 1);

      await mesh.configure("  serverNames: [localhost, ca.hello.mesh]");
      served.signal("SIGHUP");
      await once(old.socket, "close");
      await until(t, async () => doorsOpened(served) > 1);
      const named = await openConnection(served.httpPort);
      assert.match(new X509Certificate(named.socket.getPeerCertificate().raw).subjectAltName!, /DNS:ca\.hello\.mesh/);
      named.socket.destroy();
      // Under the authority before as well as under the new one.
      await fleet.renew(own);
      await checkRecord(fleet);
      await served.stop();
    },
  );

  test(
    "SIGTERM: requests under way are answered, nothing is left open, and the log ends with a signed head",
    limited,
    async (t) => {
      const hooks = new URL("../../support/ca/chaos/slow-hooks.ts", import.meta.url);
      const { mesh, served, fleet, own } = await running(t, { preload: [hooks] });
      const token = await fleet.newToken("web");
      await writeFile(mesh.at("hold"), "");
      const before = fleet.held.length;
      const underWay = Promise.all([fleet.renew(own), fleet.join(token), fleet.operate("web")]);
      await until(t, async () => {
        const status = (await fleet.admin.get("/v1/ca/status")) as StatusShape;
        return status.store.unfinished === 3;
      });
      served.signal("SIGTERM");
      await served.heard(({ msg }) => msg === "ending");
      await assert.rejects(fleet.operate("web"));
      await rm(mesh.at("hold"));
      await underWay;
      assert.equal(fleet.held.length, before + 3);
      assert.deepEqual(await served.ended, { code: 0, signal: null });

      const audited = await mesh.own("audit", "verify", mesh.store, "--format", "json");
      const report = JSON.parse(audited.out) as AuditShape;
      assert.deepEqual([report.ok, report.sealedUpTo], [true, report.entries]);
      const again = await serveProgram(t, mesh);
      fleet.follow(again);
      assert.deepEqual(again.said("issuances that an earlier run had begun are marked as abandoned"), []);
      await checkRecord(fleet);
      await again.stop();
    },
  );
});
