import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { init } from "#cli/ca/run-init";
import type { CommandContext } from "#cli/command";
import { loadConfig } from "#cli/config/load";

/**
 * Makes the certificate authority that a configuration describes, with a key-encryption key, where there is none yet: for trial. Answers with lines for people;
 * none where the configuration has no authority. Fails with the coded error of what cannot be made; a configuration that is not valid is left to the start.
 */
export async function prepareTrialAuthority(
  config: string,
  environment: CommandContext["environment"],
): Promise<readonly string[]> {
  const loaded = await loadConfig(config, environment);
  if (!loaded.ok || loaded.config.ca === undefined) return [];
  const { store, keyEncryptionKeyFile } = loaded.config.ca;
  const line = `(The certificate authority is for trial: its store and key-encryption key lie in ${dirname(store)}.)`;
  if (existsSync(store)) return [line];
  await mkdir(dirname(store), { recursive: true, mode: 0o700 });
  const newKey = keyEncryptionKeyFile !== undefined && !existsSync(keyEncryptionKeyFile);
  const said: string[] = [];
  await init(
    { config, format: "text", ...(newKey ? { newKeyEncryptionKey: true } : {}) },
    {
      environment,
      write: () => undefined,
      writeError: (text) => void said.push(text),
      terminal: { output: false, errors: false },
      readInput: async () => new Uint8Array(),
      readLine: async () => "",
      finish: (code) => {
        throw new Error(`the certificate authority was not made (${code}): ${said.join("")}`);
      },
    },
  );
  return [line];
}
