import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { messageOf } from "#platform/coded-error";
import { createWatch } from "#platform/watch";
import { ruleSetDigest } from "#policy-compiler/ruleset/codec";
import type { BuildResult, RuleSource } from "./build.ts";

const quietMillis = 80;
const pollMillis = 10_000;

/** A file with a compiled rule set. Replace it by renaming another one over it: half a file is refused by its checksum. */
export function fileSource(path: string): RuleSource {
  return {
    name: `file ${path}`,
    async build(): Promise<BuildResult> {
      try {
        const bytes = new Uint8Array(await readFile(path));
        const digest = ruleSetDigest(bytes, (input) => createHash("sha256").update(input).digest());
        return { kind: "built", bytes, digest, diagnostics: [], files: 1 };
      } catch (cause) {
        return { kind: "failed", code: "source/unreadable", message: `cannot read \`${path}\`: ${messageOf(cause)}` };
      }
    },
    watch: (onChange) =>
      createWatch({
        paths: [path],
        quietMillis,
        pollMillis,
        async fingerprint() {
          const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
          return `${dev}:${ino}:${size}:${mtimeNs}`;
        },
        onChange,
      }),
    close: async () => undefined,
  };
}
