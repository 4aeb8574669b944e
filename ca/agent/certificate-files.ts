import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { TrustBundle } from "#ca/authorities/contract";
import { bundleVersion } from "#ca/bundle/build-bundle";
import { renderBundlePem } from "#ca/bundle/render-pem";
import { writePem } from "#ca/x509/pem";
import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import { replaceFile } from "#platform/replace-file";
import type { CommandOutcome } from "#platform/run-command";
import type { Timers } from "#platform/timers";
import { backOffMillis } from "./back-off.ts";
import type { AgentFailure, HeldCertificate, ServedIdentity } from "./contract.ts";
import { writePrivateKey } from "./private-key.ts";

/** Files of an identity, for servers that know no SDS. */
export interface FileSettings {
  /** It must exist. */
  readonly folder: string;
  readonly names: { readonly key: string; readonly chain: string; readonly bundle: string };
  readonly keyMode: number;
  readonly mode: number;
  /** What is run after they were written; undefined: nothing. */
  readonly reload: { readonly command: readonly string[]; readonly timeoutMillis: number } | undefined;
}

export interface FileStatus {
  readonly folder: string;
  /** When they were found or made to be what is served; undefined: not yet. */
  readonly writtenMillis: number | undefined;
  /** When the command that was run last succeeded. */
  readonly reloadedMillis: number | undefined;
  /** `agent/files` or `agent/reload`; it is tried again. */
  readonly failure: AgentFailure | undefined;
}

export interface CertificateFilesParts {
  readonly settings: FileSettings;
  readonly served: ServedIdentity;
  readonly run: (command: readonly string[], timeoutMillis: number) => Promise<CommandOutcome>;
  readonly nowMillis: () => number;
  readonly timers: Timers;
  readonly chance: () => number;
  readonly log: Log;
}

export interface CertificateFiles {
  status(): FileStatus;
  /** `bundleVersion` of the bundle that was written last, and after which the command has succeeded; undefined: none was. */
  bundleInUse(): string | undefined;
  /** Nothing is written any more. Resolves when what was under way is over. */
  stop(): Promise<void>;
}

/**
 * Keeps key, chain and roots of an identity as files, each replaced whole: the roots first, then the key, then the chain that says that both are there. After a change the command is run. What fails is
 * told, and tried again with a back-off. Files that are right already are left alone, and nothing is run for them.
 */
export function writeCertificateFiles(parts: CertificateFilesParts): CertificateFiles {
  const { settings, served, nowMillis, timers, log } = parts;
  const fields = { spiffeId: served.spiffeId.toString(), folder: settings.folder };
  let done: { readonly held: HeldCertificate; readonly bundle: TrustBundle } | undefined;
  let inUse: TrustBundle | undefined;
  let writtenMillis: number | undefined;
  let reloadedMillis: number | undefined;
  let failure: AgentFailure | undefined;
  let reloadIsDue = false;
  let running: Promise<void> | undefined;
  let stopped = false;
  let cancel = () => {};

  const isDone = () => done?.held === served.certificate() && done?.bundle === served.bundle() && !reloadIsDue;

  const failed = (code: "agent/files" | "agent/reload", message: string) => {
    failure = { code, message, atMillis: nowMillis(), tries: (failure?.tries ?? 0) + 1 };
    log.error({ ...fields, code, fault: message, tries: failure.tries }, "the files of an identity are not in use");
    cancel = timers.after(backOffMillis("late", failure.tries, parts.chance()), begin);
  };

  const update = async (held: HeldCertificate, bundle: TrustBundle) => {
    try {
      await writeAll(settings, held, bundle);
      done = { held, bundle };
      writtenMillis = nowMillis();
      reloadIsDue = await isThere(duePath(settings));
    } catch (fault) {
      const isFolder = await stat(settings.folder).then(
        (found) => found.isDirectory(),
        () => false,
      );
      failed("agent/files", isFolder ? messageOf(fault) : `the folder \`${settings.folder}\` is not there`);
      return;
    }
    const { reload } = settings;
    if (reload !== undefined && reloadIsDue) {
      const outcome = await parts.run(reload.command, reload.timeoutMillis);
      if (!outcome.ok) {
        failed("agent/reload", outcome.message);
        return;
      }
      // What cannot be removed has the command run once more by the next start.
      await rm(duePath(settings), { force: true }).catch(() => undefined);
      reloadedMillis = nowMillis();
    }
    reloadIsDue = false;
    inUse = bundle;
    failure = undefined;
    log.info(fields, "the files of an identity are in use");
  };

  const begin = () => {
    const [held, bundle] = [served.certificate(), served.bundle()];
    if (stopped || running !== undefined || held === undefined || bundle === undefined || isDone()) return;
    cancel();
    running = update(held, bundle).finally(() => {
      running = undefined;
      if (failure === undefined) begin();
    });
  };

  const unsubscribe = served.subscribe(begin);
  begin();
  return {
    status: () => ({ folder: settings.folder, writtenMillis, reloadedMillis, failure }),
    bundleInUse: () => inUse && bundleVersion(inUse),
    async stop() {
      stopped = true;
      unsubscribe();
      await running;
      cancel();
    },
  };
}

async function writeAll(settings: FileSettings, { privateKey, chain }: HeldCertificate, bundle: TrustBundle) {
  const { folder, names, mode, keyMode, reload } = settings;
  // ORDER: whoever is told of the new chain finds everything else in place.
  for (const [name, text, fileMode] of [
    [names.bundle, renderBundlePem(bundle), mode],
    [names.key, writePrivateKey(privateKey), keyMode],
    [names.chain, chain.map(({ der }) => writePem("CERTIFICATE", der)).join(""), mode],
  ] as const) {
    const path = join(folder, name);
    if (await isAsItShouldBe(path, text, fileMode)) continue;
    // ORDER: before the change: whatever ends the agent from here on, the next start has the command run.
    if (reload !== undefined) await replaceFile(duePath(settings), new Uint8Array(), 0o600);
    await replaceFile(path, Buffer.from(text, "latin1"), fileMode);
  }
}

/** An empty file, there from a change on until the command has succeeded. */
function duePath({ folder, names }: FileSettings): string {
  return join(folder, `${names.chain}.due`);
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** It has this text, and nobody may do more with it than the mode says. */
async function isAsItShouldBe(path: string, text: string, fileMode: number): Promise<boolean> {
  try {
    const { mode } = await stat(path);
    return (mode & 0o777 & ~fileMode) === 0 && (await readFile(path, "latin1")) === text;
  } catch {
    // Whatever is wrong with it, it is replaced, and that tells.
    return false;
  }
}
