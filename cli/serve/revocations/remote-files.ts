import { readFile } from "node:fs/promises";
import { parsePemBundle } from "#ca/bundle/parse-pem-bundle";
import type { Certificate } from "#ca/x509/contract";
import { CodedError, messageOf } from "#platform/coded-error";
import type { RevocationsConfig } from "../../config/model.ts";

/** The roots of the trust domain. */
export interface RemoteBundle {
  readonly pem: string;
  readonly anchors: readonly Certificate[];
}

/** Fails with `deny-list/files`. */
export async function readRemoteBundle({ bundleFile }: RevocationsConfig): Promise<RemoteBundle> {
  const pem = await read(bundleFile);
  const parsed = parsePemBundle(pem);
  if (parsed.ok) return { pem, anchors: parsed.value };
  throw new CodedError("deny-list/files", `\`${bundleFile}\` holds no roots: ${parsed.fault.message}`);
}

/** What the service shows the authority. Whether certificate and key belong together is found out where they are used. Fails with `deny-list/files`. */
export async function readRemoteClient({
  certificateFile,
  keyFile,
}: RevocationsConfig): Promise<{ readonly certPem: string; readonly keyPem: string }> {
  const [certPem, keyPem] = await Promise.all([read(certificateFile), read(keyFile)]);
  return { certPem, keyPem };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CodedError("deny-list/files", `\`${path}\` cannot be read: ${messageOf(cause)}`, { cause });
  }
}
