import { readFile, stat } from "node:fs/promises";
import { messageOf } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { UsageFault } from "../usage-fault.ts";

/** No file of certificates that is looked at is larger. */
const limitBytes = 16 * 1024 * 1024;

/** The bytes of a file that was named, `-` standard input. Fails with `UsageFault`. */
export async function readNamed(path: string, context: CommandContext): Promise<Uint8Array> {
  if (path === "-") {
    const bytes = await context.readInput();
    if (bytes.length > limitBytes) throw tooLarge("standard input");
    return bytes;
  }
  try {
    if ((await stat(path)).size > limitBytes) throw tooLarge(`\`${path}\``);
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if (cause instanceof UsageFault) throw cause;
    throw new UsageFault(`\`${path}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function tooLarge(name: string): UsageFault {
  return new UsageFault(`${name} is larger than ${limitBytes} bytes`);
}
