import { generateKey } from "#ca/authorities/generate-key";
import { buildCsr } from "#ca/csr/build-csr";
import { parseCsr } from "#ca/csr/parse-csr";
import type { IssuedShape } from "#ca/transport/http/shapes";
import type { KeyKind } from "#ca/x509/contract";
import { readPemBlocks, writePem } from "#ca/x509/pem";
import { readCertificate } from "#ca/x509/read-certificate";
import { parseSpiffeId } from "#identity/spiffe-id";
import { CodedError } from "#platform/coded-error";
import type { CommandContext } from "../command.ts";
import { UsageFault } from "../usage-fault.ts";
import { shaped } from "./answers.ts";
import { freePaths, writeCertificateFiles } from "./certificate-files.ts";
import type { CaClient } from "./client.ts";
import { type CredentialOptions, openWithCredential } from "./credential-options.ts";
import { momentText } from "./duration.ts";
import { fieldsText, jsonText, linesText, paintFor } from "./paint.ts";
import { readNamed } from "./read-file.ts";
import type { FormatOptions } from "./service-options.ts";

export interface IssueOptions extends AskedOptions {
  readonly out: string;
  readonly keyKind: KeyKind;
}

export interface SignOptions extends AskedOptions {
  readonly out?: string;
}

interface AskedOptions extends CredentialOptions, FormatOptions {
  readonly id?: string;
  readonly ttl?: number;
  readonly force: boolean;
}

/**
 * `garita ca issue`: makes a key, has it certified and writes key, chain and roots into a folder. Nothing is asked when a file stands in the way, and nothing written
 * before the answer was found to be of this key.
 */
export async function issue(options: IssueOptions, context: CommandContext): Promise<void> {
  const id = validId(options.id);
  const paths = await freePaths(options.out, ["key", "chain", "bundle"], options.force);
  const client = await openWithCredential(options, context);
  const { privateKey, publicKey } = await generateKey(options.keyKind);
  const csrPem = writePem("CERTIFICATE REQUEST", buildCsr(privateKey, id));
  const answer = await askFor(client, csrPem, options);
  const { leafDer, chain, bundle } = partsOf(answer, client);
  if (!isFor(leafDer, publicKey.spkiDer)) throw notOurs(client);
  const keyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await writeCertificateFiles(paths, { key: keyPem, chain, bundle }, options.force);
  const files = Object.fromEntries(paths);
  if (options.format === "json") context.write(jsonText({ ...answer, chain: undefined, files }));
  else context.write(issuedText(answer, [...paths.values()], context));
}

/** `garita ca sign CSR`: has a request certified whose key is elsewhere. The chain goes to standard output, or with the roots into a folder. */
export async function signRequest(file: string, options: SignOptions, context: CommandContext): Promise<void> {
  validId(options.id);
  const { out } = options;
  const paths = out === undefined ? undefined : await freePaths(out, ["chain", "bundle"], options.force);
  const csrPem = Buffer.from(await readNamed(file, context)).toString("latin1");
  // What is no request is not sent: it may be a private key.
  const parsed = parseCsr(csrPem);
  if (!parsed.ok) throw new UsageFault(`\`${file}\` is no certificate request that is taken: ${parsed.fault.message}`);
  const client = await openWithCredential(options, context);
  const answer = await askFor(client, csrPem, options);
  const { chain, bundle } = partsOf(answer, client);
  if (paths !== undefined) await writeCertificateFiles(paths, { chain, bundle }, options.force);
  if (options.format === "json") {
    context.write(
      jsonText(paths === undefined ? answer : { ...answer, chain: undefined, files: Object.fromEntries(paths) }),
    );
  } else context.write(paths === undefined ? chain : issuedText(answer, [...paths.values()], context));
}

function validId(id: string | undefined): string | undefined {
  if (id === undefined) return undefined;
  const parsed = parseSpiffeId(id);
  if (!parsed.ok)
    throw new UsageFault(`expected a SPIFFE ID for --id, found \`${id}\`: ${parsed.fault}`, { hinted: true });
  return id;
}

async function askFor(client: CaClient, csr: string, { id, ttl }: AskedOptions): Promise<IssuedShape> {
  const answer = await client.post("/v1/certificates", {
    csr,
    ...(id === undefined ? {} : { spiffeId: id }),
    ...(ttl === undefined ? {} : { ttlSeconds: ttl }),
  });
  const members = { serial: "text", spiffeId: "text", notBefore: "text", notAfter: "text", chain: "list" } as const;
  const issued = shaped<IssuedShape>(answer, client, members);
  if (id !== undefined && issued.spiffeId !== id) {
    throw new CodedError(
      "service/answer",
      `\`${client.name}\` answered with the identity \`${issued.spiffeId}\`, not \`${id}\``,
    );
  }
  if (issued.chain.length >= 2 && issued.chain.every((pem) => typeof pem === "string")) return issued;
  throw new CodedError("service/answer", `\`${client.name}\` answered with no chain`);
}

interface IssuedParts {
  readonly leafDer: Uint8Array;
  /** The leaf with its intermediates, PEM. */
  readonly chain: string;
  /** The roots, PEM: the last element of an answer holds all of them. */
  readonly bundle: string;
}

/** What is written is made anew from the bytes, so that nothing but certificates gets into a file or onto a terminal. */
function partsOf({ chain }: IssuedShape, { name }: CaClient): IssuedParts {
  const [path, roots] = [chain.slice(0, -1).join(""), chain.at(-1) ?? ""].map((text) => {
    const read = readPemBlocks(text, "CERTIFICATE", { sizeCharacters: 1024 * 1024, blocks: 100 });
    if (read.ok) return read.value;
    throw new CodedError("service/answer", `\`${name}\` answered with no chain: ${read.fault.message}`);
  });
  const pem = (ders: readonly Uint8Array[] = []) => ders.map((der) => writePem("CERTIFICATE", der)).join("");
  return { leafDer: path![0]!, chain: pem(path), bundle: pem(roots) };
}

function isFor(leafDer: Uint8Array, spkiDer: Uint8Array): boolean {
  const leaf = readCertificate(leafDer);
  return leaf.ok && Buffer.from(leaf.value.spkiDer).equals(spkiDer);
}

function notOurs({ name }: CaClient): CodedError {
  return new CodedError("service/answer", `\`${name}\` answered with a certificate of another key`);
}

function issuedText(answer: IssuedShape, paths: readonly string[], context: CommandContext): string {
  const [begin, end] = [Date.parse(answer.notBefore), Date.parse(answer.notAfter)];
  const now = Date.now();
  const paint = paintFor(context);
  return linesText([
    ...fieldsText([["issued", answer.spiffeId, paint.good]]),
    ...fieldsText(
      [
        ["serial", answer.serial],
        ["ends", momentText(end, now)],
        ["renew", momentText(begin + (end - begin) / 2, now)],
        ["files", paths.join(", ")],
      ],
      "  ",
    ),
  ]);
}
