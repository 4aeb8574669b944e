import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type Authorities, openAuthorities } from "#ca/authorities/authorities";
import type { KeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import type { AuthoritySettings } from "#ca/authorities/settings";
import { openSqliteStore } from "#ca/store/sqlite/open";
import { systemClock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import { createLog } from "#platform/log";
import { systemTimers } from "#platform/timers";
import type { CaConfig } from "../config/ca-model.ts";

/**
 * Runs with the authorities of a store that no service uses, which is made if it is not there, with its folder (mode 0700). It is closed afterwards. Fails as the store
 * and `openAuthorities` do.
 */
export async function withAuthorities<T>(
  { store: file, trustDomain }: CaConfig,
  settings: AuthoritySettings,
  keyEncryptionKey: KeyEncryptionKey,
  run: (authorities: Authorities) => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new CodedError("output/unwritable", `the folder of \`${file}\` cannot be made: ${messageOf(cause)}`, {
      cause,
    });
  });
  // What is to be said is in the answers: a log would stand between them.
  const { log } = createLog({ level: "silent" });
  const store = await openSqliteStore({ file, nowMillis: () => systemClock.nowMillis(), log });
  try {
    const authorities = await openAuthorities({
      store,
      keyEncryptionKey,
      trustDomain,
      settings,
      clock: systemClock,
      timers: systemTimers,
      random: randomBytes,
      log,
    });
    try {
      return await run(authorities);
    } finally {
      authorities.close();
    }
  } finally {
    await store.close();
  }
}
