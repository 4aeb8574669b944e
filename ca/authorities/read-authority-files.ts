import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, messageOf } from "#platform/coded-error";
import { readPrivateSecret } from "#platform/secret";

/** One text of an authority, and what it is called in messages. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** An authority as others keep it. Nothing of it is believed yet. The key is plain. */
export interface AuthorityMaterial {
  /** The signing certificate; more behind it count as intermediates. */
  readonly certificate: NamedText;
  readonly key: NamedText;
  /** Undefined where intermediates stand behind the signing certificate. */
  readonly chain: NamedText | undefined;
  readonly roots: NamedText;
}

const istioFiles = { certificate: "ca-cert.pem", key: "ca-key.pem", chain: "cert-chain.pem", roots: "root-cert.pem" };
const kubernetesFiles = { certificate: "tls.crt", key: "tls.key", chain: undefined, roots: "ca.crt" };

const largestFileBytes = 256 * 1024;

/**
 * Reads an authority from a folder: Istio's `cacerts` (`ca-cert.pem`, `ca-key.pem`, `cert-chain.pem`, `root-cert.pem`), or the form of `kubernetes.io/tls` (`tls.crt`,
 * `tls.key`, `ca.crt`). All files of one form, and none of the other, must be there. Fails with `ca-import/none`, `ca-import/incomplete` or
 * `ca-import/unreadable`, and with a fault of `readPrivateSecret` for the key.
 */
export async function readAuthorityFiles(folder: string): Promise<AuthorityMaterial> {
  const present = new Set(
    await readdir(folder).catch((cause: unknown) => {
      throw new CodedError("ca-import/unreadable", `cannot read the folder \`${folder}\`: ${messageOf(cause)}`, {
        cause,
      });
    }),
  );
  const files = formOf(folder, present);
  const read = async (name: string) => ({ name, text: await readText(join(folder, name)) });
  // ORDER: one after the other, so that of several faults the same one is told each time.
  const certificate = await read(files.certificate);
  const key = {
    name: files.key,
    text: Buffer.from(await readPrivateSecret(join(folder, files.key))).toString("latin1"),
  };
  const chain = files.chain === undefined ? undefined : await read(files.chain);
  return { certificate, key, chain, roots: await read(files.roots) };
}

function formOf(folder: string, present: ReadonlySet<string>): typeof istioFiles | typeof kubernetesFiles {
  const found = [istioFiles, kubernetesFiles].filter((form) => namesOf(form).some((name) => present.has(name)));
  const [form, other] = found;
  if (form === undefined)
    throw new CodedError(
      "ca-import/none",
      `\`${folder}\` holds no authority: expected ${listed(namesOf(istioFiles))}, or ${listed(namesOf(kubernetesFiles))}`,
    );
  if (other !== undefined)
    throw new CodedError(
      "ca-import/incomplete",
      `\`${folder}\` holds files of two forms: expected ${listed(namesOf(istioFiles))}, or ${listed(namesOf(kubernetesFiles))}, not both`,
    );
  const missing = namesOf(form).filter((name) => !present.has(name));
  if (missing.length > 0)
    throw new CodedError(
      "ca-import/incomplete",
      `\`${folder}\` lacks ${listed(missing)}: all of ${listed(namesOf(form))} are needed`,
    );
  return form;
}

function namesOf(form: typeof istioFiles | typeof kubernetesFiles): readonly string[] {
  return Object.values(form).filter((name) => name !== undefined);
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > largestFileBytes) throw new Error(`${size} bytes, at most ${largestFileBytes} are read`);
    return (await readFile(path)).toString("latin1");
  } catch (cause) {
    throw new CodedError("ca-import/unreadable", `cannot read \`${path}\`: ${messageOf(cause)}`, { cause });
  }
}
