import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { bundleVersion } from "#ca/bundle/build-bundle";
import type { BundleStream, RotationStatus } from "#ca/rotation/contract";
import { endScene, newCsr, openScene, operator, type Scene, type SceneChanges, webId } from "#test/support/ca/scene";
import { issueIn, presenting } from "#test/support/ca/scene-requests";
import { afterAll } from "#test/support/service/after-all";

export const minute = 60_000;
export const hour = 60 * minute;

/** A scene with every part real, whose time is moved, and streams that the test says. */
export interface RotationScene {
  readonly scene: Scene;
  readonly streams: BundleStream[];
  /** Time passes for the wall clock and the monotonic one; then it is looked what can go on. */
  pass(millis: number): Promise<void>;
  /** The same, up to a moment. */
  passUntil(millis: number): Promise<void>;
  /** The state of each root, in their order. */
  rootStates(): readonly string[];
  /** The version that streams acknowledge. */
  version(): string;
}

/** Opens a scene whose authority is two days old; it ends with the test. */
export async function rotationScene(t: TestContext, changes: SceneChanges = {}): Promise<RotationScene> {
  let passedMillis = 0;
  const streams: BundleStream[] = [];
  const scene = await openScene({
    authorityAgeMillis: 48 * hour,
    monotonicMillis: () => performance.now() + passedMillis,
    streams: () => streams,
    ...changes,
  });
  afterAll(t, () => endScene(scene));
  const pass = async (millis: number) => {
    passedMillis += millis;
    scene.shiftMillis += millis;
    await scene.authority.authorities.lookAfter();
    await scene.authority.rotation.lookAfter();
  };
  return {
    scene,
    streams,
    pass,
    passUntil: (millis) => pass(millis - Date.now() - scene.shiftMillis),
    rootStates: () =>
      scene.authority.authorities
        .status()
        .filter(({ role }) => role === "root")
        .map(({ state }) => state),
    version: () => bundleVersion(scene.authority.service.bundle()),
  };
}

/** What the operator has issued for an identity: one that no certificate before speaks for. */
export async function issueFor(scene: Scene, spiffeId = webId, ttlSeconds?: number) {
  return issueIn(scene, { csrPem: newCsr().csrPem, spiffeId, credentials: operator, ttlSeconds });
}

/** The certificate renewed by whoever holds it. */
export async function renewIn(scene: Scene, held: Awaited<ReturnType<typeof issueFor>>) {
  return issueIn(scene, { csrPem: newCsr().csrPem, credentials: presenting(held.chain) });
}

/** Who holds up the root that is on its way, in words. */
export function holdsOf({ steps }: RotationStatus): readonly string[] {
  assert.ok(steps.length > 0, "a root is on its way");
  return steps[0]!.heldUpBy.map((hold) => ("spiffeId" in hold ? `${hold.kind} ${hold.spiffeId}` : hold.kind));
}
