import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { writeWhole } from "#platform/write-whole";

/** The files of an identity, named as Istio's agent writes and reads them. */
export const certificateFiles = { key: "key.pem", chain: "cert-chain.pem", bundle: "root-cert.pem" } as const;
export type CertificateFile = keyof typeof certificateFiles;

/** Paths of these files in a folder, which is made if it is not there. Fails with `output/exists` if one is there and must stay, or with `output/unwritable`. */
export async function freePaths(
  folder: string,
  files: readonly CertificateFile[],
  force: boolean,
): Promise<ReadonlyMap<CertificateFile, string>> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new CodedError("output/unwritable", `the folder \`${folder}\` cannot be made: ${messageOf(cause)}`, {
      cause,
    });
  });
  const paths = new Map(files.map((file) => [file, join(folder, certificateFiles[file])]));
  if (force) return paths;
  for (const path of paths.values()) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) throw new CodedError("output/exists", `\`${path}\` is there already: \`--force\` goes over it`);
  }
  return paths;
}

/** Writes the files, each whole; the key with mode 0600. Fails with `output/exists` or `output/unwritable`. */
export async function writeCertificateFiles(
  paths: ReadonlyMap<CertificateFile, string>,
  texts: Readonly<Partial<Record<CertificateFile, string>>>,
  force: boolean,
): Promise<void> {
  for (const [file, path] of paths) {
    const text = texts[file];
    if (text === undefined) continue;
    await writeWhole(path, Buffer.from(text), { mode: file === "key" ? 0o600 : 0o644, keepExisting: !force });
  }
}
