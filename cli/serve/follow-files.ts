import { stat } from "node:fs/promises";
import type { ServiceConfig } from "#cli/config/model";
import { tlsPaths } from "#platform/tls-material";
import { createWatch } from "#platform/watch";

/** Changes of several files, as a renewal of a certificate makes them, are one change. */
const quietMillis = 150;
const pollMillis = 10_000;

/** Watches the configuration file and every file that it names: certificates, keys, secrets. */
export interface FileFollower {
  /** Watches the files of this configuration from now on. */
  follow(config: ServiceConfig): Promise<void>;
  stop(): Promise<void>;
}

export function followFiles(configFile: string | undefined, onChange: () => void): FileFollower {
  let watched = "";
  let end: (() => Promise<void>) | undefined;
  let stopped = false;
  return {
    async follow(config) {
      const paths = [...(configFile === undefined ? [] : [configFile]), ...filesOf(config)];
      const key = paths.join("\0");
      if (key === watched || stopped) return;
      watched = key;
      await end?.();
      end = await createWatch({ paths, quietMillis, pollMillis, fingerprint: () => fingerprintOf(paths), onChange });
      if (stopped) await end();
    },
    async stop() {
      stopped = true;
      await end?.();
    },
  };
}

function filesOf({ listeners, policies, admin, jwt, ca }: ServiceConfig): string[] {
  const own = listeners.flatMap(({ tls, secretFile }) => [...(tls ? tlsPaths(tls) : []), secretFile]);
  const issuerFiles = (ca?.issuers ?? []).map(({ keys }) => (keys.kind === "file" ? keys.path : undefined));
  const forAuthority = [ca?.keyEncryptionKeyFile, ca?.blockedKeysFile, ...issuerFiles];
  const webhook = "git" in policies ? policies.git.webhook : undefined;
  const forWebhook = [webhook?.secretFile, ...(webhook?.tls ? tlsPaths(webhook.tls) : [])];
  const all = [
    ...own,
    ...forWebhook,
    ...(admin?.tls ? tlsPaths(admin.tls) : []),
    admin?.tokenFile,
    jwt.caFile,
    ...forAuthority,
  ];
  return [...new Set(all.filter((path) => path !== undefined))].sort();
}

async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const marks = paths.map(async (path) => {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  });
  return (await Promise.all(marks)).join(" ");
}
