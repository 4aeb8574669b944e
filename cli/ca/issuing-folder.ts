import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { IssuingRequest } from "#ca/authorities/issuing-request";
import type { NamedText } from "#ca/authorities/read-authority-files";
import { CodedError, messageOf } from "#platform/coded-error";
import { writeWhole } from "#platform/write-whole";
import { UsageFault } from "../usage-fault.ts";

/** What lies in the folder of a request for an issuing authority: the first two are written, the others put in by whoever signs. */
export const requestFiles = {
  csr: "issuing.csr.pem",
  key: "issuing-key.sealed.json",
  certificate: "issuing.pem",
  roots: "root-cert.pem",
} as const;

/** Writes a request and its encrypted key. Fails with `output/exists` or `output/unwritable`. */
export async function writeRequestFolder(folder: string, request: IssuingRequest): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new CodedError("output/unwritable", `the folder \`${folder}\` cannot be made: ${messageOf(cause)}`, {
      cause,
    });
  });
  const sealed = { version: 1, keyId: request.keyId, sealedKey: Buffer.from(request.sealedKey).toString("base64") };
  const key = Buffer.from(`${JSON.stringify(sealed, undefined, 2)}\n`);
  // ORDER: the key first: a request whose key was lost would be signed in vain.
  await writeWhole(join(folder, requestFiles.key), key, { mode: 0o600, keepExisting: true });
  await writeWhole(join(folder, requestFiles.csr), Buffer.from(request.csrPem), { mode: 0o644, keepExisting: true });
}

/** Reads the request again, with the certificate that was signed for it and the roots. Fails with `UsageFault`. */
export async function readRequestFolder(folder: string): Promise<{
  readonly request: Pick<IssuingRequest, "keyId" | "sealedKey">;
  readonly certificate: NamedText;
  readonly roots: NamedText;
}> {
  const sealed = sealedKeyOf(await readText(folder, requestFiles.key), join(folder, requestFiles.key));
  return {
    request: sealed,
    certificate: { name: requestFiles.certificate, text: await readText(folder, requestFiles.certificate) },
    roots: { name: requestFiles.roots, text: await readText(folder, requestFiles.roots) },
  };
}

async function readText(folder: string, file: string): Promise<string> {
  const path = join(folder, file);
  return readFile(path, "latin1").catch((cause: unknown) => {
    throw new UsageFault(`\`${path}\` cannot be read: ${messageOf(cause)}`, { cause });
  });
}

function sealedKeyOf(text: string, path: string): Pick<IssuingRequest, "keyId" | "sealedKey"> {
  const read = parsed(text);
  if (read?.version !== 1 || typeof read.keyId !== "string" || typeof read.sealedKey !== "string") {
    throw new UsageFault(`\`${path}\` holds no encrypted key of this version`);
  }
  return { keyId: read.keyId, sealedKey: new Uint8Array(Buffer.from(read.sealedKey, "base64")) };
}

function parsed(text: string): { version?: unknown; keyId?: unknown; sealedKey?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // Said by the caller, with the name of the file.
  }
}
