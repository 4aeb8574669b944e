import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { StateFolder } from "#ca/agent/state-folder";
import { CodedError } from "#platform/coded-error";
import { hour, type LifeScene, lifeScene } from "#test/support/ca/agent/life-scene";
import { makeAuthority } from "#test/support/ca/make-certificate";
import { until } from "#test/support/until";

describe("an agent that is started again", () => {
  it("serves what it had at once, asks for nothing, and renews when it is due", async (t) => {
    const scene = lifeScene(t);
    const first = await scene.start();
    const { chain } = first.served.certificate()!;
    await first.stop();
    scene.token = undefined;
    const second = await scene.start();
    assert.deepEqual(
      second.served.certificate()?.chain.map(({ der }) => der),
      chain.map(({ der }) => der),
    );
    assert.equal(second.served.bundle()?.anchors.length, 1);
    assert.equal(scene.asked.length, 1);
    await scene.pass(12.3 * hour);
    assert.equal(scene.asked.length, 2);
    assert.equal(second.status().failure, undefined);
  });

  it("keeps its state in a folder and in files that nobody else can read", async (t) => {
    const scene = lifeScene(t);
    await scene.start();
    const folder = join(scene.folder, "web");
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(folder).sort(), ["bundle.pem", "identity.pem"]);
    for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
  });

  it("refuses a state folder that others can enter", async (t) => {
    const scene = lifeScene(t);
    await (await scene.start()).stop();
    chmodSync(join(scene.folder, "web"), 0o750);
    await assert.rejects(
      scene.start(),
      (fault: CodedError) => fault.code === "agent/state" && /0750/.test(fault.message),
    );
  });

  /** Where the first life is killed: what it wrote is there, and nothing of it runs on. */
  const steps: Readonly<Record<string, (real: StateFolder, scene: LifeScene) => Partial<StateFolder>>> = {
    "before its key is written": (_, { hang }) => ({ keepNextKey: hang }),
    "between its key and the certificate": (real, { hang }) => ({
      async keepNextKey(key) {
        await real.keepNextKey(key);
        return hang();
      },
    }),
    "before the bundle is written": (_, { hang }) => ({ keepBundle: hang }),
    "between the bundle and the certificate": (_, { hang }) => ({ keepCertificate: hang }),
  };
  for (const [when, change] of Object.entries(steps)) {
    it(`after it was killed ${when} comes to a certificate`, async (t) => {
      const scene = lifeScene(t);
      const killed = await scene.start({ state: (real) => ({ ...real, ...change(real, scene) }) });
      void killed.stop();
      const keptKey = existsSync(join(scene.folder, "web", "next-key.pem"));
      const life = await scene.start();
      assert.equal(life.status().state, "valid");
      assert.equal(life.status().kept, true);
      assert.ok(!existsSync(join(scene.folder, "web", "next-key.pem")));
      // A key that was kept is not thrown away.
      if (keptKey && scene.asked.length === 2) assert.equal(scene.asked[1]!.key, scene.asked[0]!.key);
      await life.stop();
      const again = await scene.start();
      assert.equal(again.status().certificate?.serialHex, life.status().certificate?.serialHex);
    });
  }

  it("goes on with its old certificate after it was killed in the middle of a renewal", async (t) => {
    const scene = lifeScene(t);
    const first = await scene.start();
    const before = first.status().certificate?.serialHex;
    scene.answer = scene.hang;
    await scene.time.advance(12.3 * hour);
    await until(() => scene.asked.length === 2);
    assert.ok(existsSync(join(scene.folder, "web", "next-key.pem")));
    void first.stop();
    scene.answer = undefined;
    scene.token = undefined;
    const second = await scene.start();
    assert.notEqual(second.status().certificate?.serialHex, before);
    assert.equal(scene.asked.at(-1)!.key, scene.asked[1]!.key);
  });

  it("makes anew what is damaged, and says so", async (t) => {
    const scene = lifeScene(t);
    for (const [file, text] of [
      ["identity.pem", "nothing"],
      ["next-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
      ["bundle.pem", ""],
    ] as const) {
      await (await scene.start()).stop();
      writeFileSync(join(scene.folder, "web", file), text, { mode: 0o600 });
      const asked = scene.asked.length;
      const life = await scene.start();
      assert.equal(life.status().state, "valid", file);
      assert.ok(
        scene.lines.some(({ fields }) => String(fields["fault"]).includes(file)),
        file,
      );
      assert.equal(scene.asked.length, file === "next-key.pem" ? asked : asked + 1, file);
      await life.stop();
    }
  });

  it("serves no certificate that its bundle does not vouch for, and no other identity's", async (t) => {
    const scene = lifeScene(t);
    await (await scene.start()).stop();
    const other = makeAuthority({ kind: "P-256", profile: "root" }, { commonName: "another root" });
    const { pemOf } = await import("#test/support/ca/agent/life-scene");
    writeFileSync(join(scene.folder, "web", "bundle.pem"), pemOf([other.certificate]), { mode: 0o600 });
    scene.answer = scene.hang;
    const life = await scene.start();
    assert.equal(life.served.certificate(), undefined);
    assert.equal(scene.asked.length, 2);
  });
});

describe("a disk that is full", () => {
  it("keeps no key, so nothing is asked; what is held is served, and it is told", async (t) => {
    const scene = lifeScene(t);
    let full = false;
    const life = await scene.start({
      state: (real) => ({
        ...real,
        async keepNextKey(key) {
          if (full) throw new CodedError("agent/state", "cannot write to the state folder: no space left");
          await real.keepNextKey(key);
        },
      }),
    });
    full = true;
    await scene.pass(12.3 * hour);
    assert.equal(scene.asked.length, 1);
    assert.equal(life.status().failure?.code, "agent/state");
    assert.equal(life.status().state, "valid");
    full = false;
    await scene.pass(61_000);
    assert.equal(scene.asked.length, 2);
    assert.equal(life.status().failure, undefined);
  });

  it("does not keep a new certificate from being served; it is written when there is room, and no bundle is acknowledged before", async (t) => {
    const scene = lifeScene(t);
    let full = true;
    const unless =
      <A>(run: (given: A) => Promise<void>) =>
      async (given: A) => {
        if (full) throw new CodedError("agent/state", "cannot write to the state folder: no space left");
        await run(given);
      };
    const life = await scene.start({
      state: (real) => ({
        ...real,
        keepCertificate: unless(real.keepCertificate),
        keepBundle: unless(real.keepBundle),
      }),
    });
    assert.equal(life.status().state, "valid");
    assert.equal(life.status().kept, false);
    const offered = scene.push();
    await scene.pass(30_000);
    assert.equal(offered.answer, "none");
    full = false;
    await scene.time.advance(11_000);
    await until(() => offered.answer === "accepted" && life.status().kept);
    assert.match(readFileSync(join(scene.folder, "web", "identity.pem"), "utf8"), /BEGIN CERTIFICATE/);
  });
});
