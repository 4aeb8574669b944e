import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { type Authorities, openAuthorities } from "#ca/authorities/authorities";
import type { AuthorityStore } from "#ca/authorities/authority-state";
import type { KeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import { type AuthoritySettings, defaultAuthoritySettings } from "#ca/authorities/settings";
import type { AuthorityRecord } from "#ca/store/contract";
import { createMemoryAuthorityStore, type MemoryAuthorityStore } from "#test/support/ca/memory-authority-store";
import { type LogLine, recordLog } from "#test/support/ca/record-log";
import { createFakeTime, type FakeTime } from "#test/support/keys/fake-time";

export const day = 24 * 3_600_000;

/** Derives in microseconds: what scrypt adds is tested with the envelopes. */
export function cheapKey(secret: string): KeyEncryptionKey {
  const derive: KeyEncryptionKey["derive"] = async (salt, _cost, sizeBytes) =>
    Buffer.from(hkdfSync("sha256", secret, salt, "", sizeBytes));
  return { derive } as KeyEncryptionKey;
}

export const sceneKey = cheapKey("a scene");

/** Authorities over a store in memory and a time that stands. */
export interface AuthorityScene {
  readonly time: FakeTime;
  readonly store: MemoryAuthorityStore;
  readonly lines: LogLine[];
  open(but?: {
    readonly settings?: Partial<AuthoritySettings>;
    readonly keyEncryptionKey?: KeyEncryptionKey;
    /** Instead of the one in memory. */
    readonly store?: AuthorityStore;
  }): Promise<Authorities>;
  /** Lets a time pass that no timer sees, then has the authorities looked at, and waits for their end. */
  pass(millis: number): Promise<void>;
}

export function createAuthorityScene(records: readonly AuthorityRecord[] = [], startMillis?: number): AuthorityScene {
  const time = createFakeTime(startMillis);
  const store = createMemoryAuthorityStore(records);
  const { log, lines } = recordLog();
  return {
    time,
    store,
    lines,
    open: ({ settings, keyEncryptionKey = sceneKey, store: other = store } = {}) =>
      openAuthorities({
        store: other,
        keyEncryptionKey,
        trustDomain: "example.org",
        settings: { ...defaultAuthoritySettings, ...settings },
        clock: time,
        timers: time,
        random: randomBytes,
        log,
      }),
    async pass(millis) {
      time.jump(millis - 60_000);
      await time.advance(60_000);
      // Keys are made and opened in threads that no fake time knows.
      while (time.pending() === 0) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** State and role of every record, in their order. */
export function statesOf(store: MemoryAuthorityStore): string[] {
  return store.records.map(({ role, state }) => `${role} ${state}`);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
