import { hash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import type { Authorities } from "#ca/authorities/authorities";
import type { AuthorityStatus } from "#ca/authorities/contract";
import { importAuthority } from "#ca/authorities/import-authority";
import { completeIssuing, createIssuingRequest } from "#ca/authorities/issuing-request";
import { readKeyEncryptionKey } from "#ca/authorities/key-encryption-key";
import { readAuthorityFiles } from "#ca/authorities/read-authority-files";
import type { KeyKind } from "#ca/x509/contract";
import { writeWhole } from "#platform/write-whole";
import type { CommandContext } from "../command.ts";
import type { CaConfig } from "../config/ca-model.ts";
import { UsageFault } from "../usage-fault.ts";
import { authoritySettingsOf, caSection } from "./ca-section.ts";
import { momentText, stampText } from "./duration.ts";
import { readRequestFolder, requestFiles, writeRequestFolder } from "./issuing-folder.ts";
import { fieldsText, jsonText, linesText, paintFor, tableText } from "./paint.ts";
import type { FormatOptions } from "./service-options.ts";
import { withAuthorities } from "./with-store.ts";

export interface InitOptions extends FormatOptions {
  readonly config: string;
  readonly keyKind?: KeyKind;
  readonly rootKeyKind?: KeyKind;
  readonly newKeyEncryptionKey?: boolean;
  readonly importCacerts?: string;
  readonly request?: string;
  readonly complete?: string;
}

/** Who the records say it was. */
const by = "garita ca init";

/**
 * `garita ca init`: makes the store with a root and an issuing authority; or takes over those of others; or, for a root whose key is elsewhere, writes a request and later
 * takes its certificate. The service does not run meanwhile.
 */
export async function init(options: InitOptions, context: CommandContext): Promise<void> {
  const ways = [options.importCacerts, options.request, options.complete].filter((way) => way !== undefined);
  if (ways.length > 1) {
    throw new UsageFault("expected one of --import-cacerts, --request and --complete, found several", { hinted: true });
  }
  if (options.rootKeyKind !== undefined && ways.length > 0) {
    throw new UsageFault("`--root-key-kind` is for a root that is made here", { hinted: true });
  }
  const ca = await caSection(options.config, context);
  if (options.newKeyEncryptionKey === true) await makeKeyEncryptionKey(ca);
  const sources = { file: ca.keyEncryptionKeyFile, environment: context.environment };
  const keyEncryptionKey = await readKeyEncryptionKey(sources);
  const settings = authoritySettingsOf(ca, { root: options.rootKeyKind, issuing: options.keyKind });
  if (options.request !== undefined) {
    const keyKind = settings.issuingKeyKind;
    const request = await createIssuingRequest({
      trustDomain: ca.trustDomain,
      keyKind,
      keyEncryptionKey,
      random: randomBytes,
    });
    await writeRequestFolder(options.request, request);
    context.write(
      options.format === "json"
        ? jsonText({ keyId: request.keyId, folder: options.request })
        : requestText(options.request),
    );
    return;
  }
  await withAuthorities(ca, settings, keyEncryptionKey, async (authorities) => {
    if (options.importCacerts !== undefined) {
      await authorities.adopt(importAuthority(await readAuthorityFiles(options.importCacerts), Date.now()), by);
    } else if (options.complete !== undefined) {
      const signed = await readRequestFolder(options.complete);
      await authorities.adopt(await completeIssuing({ ...signed, keyEncryptionKey, nowMillis: Date.now() }), by);
    } else await authorities.initialise(by);
    writeAuthorities(authorities, ca, options, context);
  });
}

/** 32 random bytes, for the file that the configuration names. Fails with `output/exists` where there is one. */
async function makeKeyEncryptionKey({ keyEncryptionKeyFile: file, store }: CaConfig): Promise<void> {
  if (file === undefined) {
    throw new UsageFault("`--new-key-encryption-key` needs `ca.keyEncryptionKeyFile`, to know where", { hinted: true });
  }
  if (existsSync(store) && !existsSync(file)) {
    throw new UsageFault(
      `the store \`${store}\` is there, and the key-encryption key that it was made with is gone from \`${file}\`: a new one opens nothing`,
    );
  }
  await writeWhole(file, Buffer.from(`${randomBytes(32).toString("base64")}\n`), { mode: 0o600, keepExisting: true });
}

function requestText(folder: string): string {
  const { csr, certificate, roots } = requestFiles;
  return linesText([
    `written: ${folder}/${csr}, to be signed where the root's key is, as with`,
    `  openssl x509 -req -in ${csr} -CA ${roots} -CAkey root-key.pem -days 90 -copy_extensions copyall -extfile extensions.cnf -out ${certificate}`,
    "where extensions.cnf says",
    "  subjectKeyIdentifier = hash",
    "  authorityKeyIdentifier = keyid:always",
    `Then put ${certificate} and ${roots} into the folder, and: garita ca init --complete ${folder}`,
  ]);
}

function writeAuthorities(
  authorities: Authorities,
  ca: CaConfig,
  { format }: FormatOptions,
  context: CommandContext,
): void {
  const statuses = authorities.status();
  const roots = authorities.current().bundle.anchors.map(({ der }) => hash("sha256", der, "hex"));
  if (format === "json") {
    context.write(
      jsonText({ trustDomain: ca.trustDomain, store: ca.store, authorities: statuses.map(statusJson), roots }),
    );
    return;
  }
  const paint = paintFor(context);
  const now = Date.now();
  const rows = statuses.map(({ role, state, keyKind, subject, notAfterMillis, keyHeld }) => [
    role,
    state,
    keyKind,
    keyHeld ? "here" : "elsewhere",
    subject,
    momentText(notAfterMillis, now),
  ]);
  context.write(
    linesText([
      ...fieldsText([
        ["trust domain", ca.trustDomain],
        ["store", ca.store],
        ...roots.map((fingerprint) => ["root SHA-256", fingerprint] as const),
      ]),
      "",
      ...tableText(["authority", "state", "key", "key is", "subject", "ends"], rows, paint),
      "",
      "next: garita serve, then garita ca token new --id spiffe://… for the first machine",
    ]),
  );
}

function statusJson({ notBeforeMillis, notAfterMillis, ...status }: AuthorityStatus): object {
  return { ...status, notBefore: stampText(notBeforeMillis), notAfter: stampText(notAfterMillis) };
}
