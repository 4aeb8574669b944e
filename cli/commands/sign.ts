import type { Command } from "commander";
import { keyFingerprint, readSigningKey } from "#authz/rulesets/bundle/keys";
import { signBundle } from "#authz/rulesets/bundle/sign-bundle";
import { writeWhole } from "#platform/write-whole";
import type { CommandContext } from "../command.ts";
import { readBundleFile } from "../policies/read-bundle-file.ts";

/** `garita sign FILE --key KEY`: puts the key's signature into a policy bundle, in the place of the one that it has. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("<file>", "bundle, as `garita build` wrote it")
    .requiredOption("--key <file>", "Ed25519 private key, PKCS #8 in PEM (mode 0600)")
    .action(async (path: string, { key: keyFile }: { readonly key: string }) => {
      const key = await readSigningKey(keyFile);
      await writeWhole(path, signBundle(await readBundleFile(path), key));
      context.write(`signed by ${keyFingerprint(key)}\n`);
    });
}
