import { readFile } from "node:fs/promises";
import { messageOf } from "#platform/coded-error";
import { UsageFault } from "../usage-fault.ts";

/** The bytes of a policy bundle that was named. Nothing of it is verified. Fails with `UsageFault`. */
export async function readBundleFile(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UsageFault(`\`${path}\` cannot be read: ${messageOf(cause)}`, { cause });
  });
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
