import { createWatch } from "#platform/watch";
import type { RuleSource } from "./build.ts";
import { createBuilder } from "./builder.ts";
import { listDirectory } from "./read-directory.ts";

/** Changes are gathered until the folder was quiet for so long, so that one save is one attempt. */
const quietMillis = 80;
/** How often the folder is looked at without a hint: network file systems and exchanged mounts give none. */
const pollMillis = 10_000;

/** A folder of policies. It is read and compiled in a worker thread. */
export function directorySource(path: string): RuleSource {
  const builder = createBuilder();
  return {
    name: `directory ${path}`,
    build: () => builder.build({ kind: "directory", path }),
    watch: (onChange) =>
      createWatch({
        paths: [path],
        quietMillis,
        pollMillis,
        fingerprint: async () => (await listDirectory(path)).fingerprint,
        onChange,
      }),
    close: () => builder.close(),
  };
}
