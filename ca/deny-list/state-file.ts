import { open } from "node:fs/promises";
import { CodedError, messageOf } from "#platform/coded-error";
import { replaceFile } from "#platform/replace-file";
import { mostSignedBytes } from "./decode-signed.ts";

/** The last good list on a disk, as it was signed. */
export interface DenyListFile {
  /** Undefined: there is none. Nothing is verified. Fails with `deny-list/state-file`. */
  read(): Promise<Uint8Array | undefined>;
  /** Whole or not at all, mode 0600. Fails with `deny-list/state-file`. */
  write(signed: Uint8Array): Promise<void>;
}

/** Its folder must exist. */
export function denyListFile(path: string): DenyListFile {
  return {
    async read() {
      try {
        const file = await open(path, "r");
        try {
          const { size } = await file.stat();
          if (size > mostSignedBytes) throw new Error(`it has ${size} bytes, at most ${mostSignedBytes} are read`);
          return new Uint8Array(await file.readFile());
        } finally {
          await file.close();
        }
      } catch (cause) {
        if (Reflect.get(Object(cause), "code") === "ENOENT") return undefined;
        throw fault(path, "read", cause);
      }
    },
    async write(signed) {
      try {
        await replaceFile(path, signed, 0o600);
      } catch (cause) {
        throw fault(path, "written", cause);
      }
    },
  };
}

function fault(path: string, what: "read" | "written", cause: unknown): CodedError {
  const message = `the deny list \`${path}\` cannot be ${what}: ${messageOf(cause)}`;
  return new CodedError("deny-list/state-file", message, { cause });
}
