import { messageOf } from "#platform/coded-error";
import type { Log } from "#platform/log";
import { sweepDrafts } from "#platform/write-whole";
import type { BuildResult } from "../build.ts";
import { buildFault } from "../build-fault.ts";
import { claimFolder } from "./claim-folder.ts";
import { confirmLastKnownGood, readLastKnownGood, writeLastKnownGood } from "./last-known-good.ts";
import type { Repository } from "./repository.ts";
import type { GitSettings, Revision } from "./settings.ts";
import { markOfSigners } from "./trusted-signers.ts";

type Built = BuildResult & { readonly kind: "built" };

/** The rules that were in force last, for a start without Git. */
export interface LastRun {
  /** Reads what was kept; what cannot be used is told. Never rejects. */
  read(): Promise<void>;
  /** The commit of what was read. */
  commit(): string | undefined;
  /** What was read, in the place of what cannot be had; undefined where there is nothing that may be used. */
  standIn(result: BuildResult): Promise<Built | undefined>;
  /** Keeps what came into force, in the place of what was kept; what keeps it from being kept is a warning. `trust`: of the signers whose word it was taken on. */
  keep(built: Built, revision: Revision, trust: string | undefined): Promise<void>;
  /** What was kept is the newest still. */
  confirm(): Promise<void>;
  warnings(): readonly string[];
}

export interface LastRunParts {
  readonly repository: Repository;
  readonly signatures: GitSettings["signatures"];
  readonly source: string;
  readonly nowMillis: () => number;
  readonly log: Log;
}

export function createLastRun({ repository, signatures, source, nowMillis, log }: LastRunParts): LastRun {
  let kept: Awaited<ReturnType<typeof readLastKnownGood>>;
  let keptFault: string | undefined;
  /** Why what was kept of the last run cannot be used. */
  let readFault: string | undefined;
  return {
    async read() {
      try {
        await claimFolder(repository.folder);
        await sweepDrafts(repository.folder, nowMillis());
        kept = await readLastKnownGood(repository);
        readFault = undefined;
      } catch (fault) {
        kept = undefined;
        readFault = messageOf(fault);
        log.warn({ source, code: "git/last-known-good" }, readFault);
      }
    },
    commit: () => kept?.rules.revision.commit,
    async standIn(result) {
      if (kept === undefined || result.kind === "built" || result.kind === "unchanged") return undefined;
      const { rules, confirmedMillis } = kept;
      // The attempt may have failed before the signers were read.
      if (signatures !== undefined && rules.trust !== (await markOfSigners(signatures).catch(() => undefined))) {
        readFault = "the rules of the last run were taken on the word of other signers, and are not used";
        log.warn({ source }, readFault);
        return undefined;
      }
      const { bytes, digest, revision, files } = rules;
      const fallback = { ...buildFault(result), confirmedMillis };
      return { kind: "built", bytes, digest, diagnostics: [], files, revision, fallback };
    },
    async keep({ bytes, digest, files }, revision, trust) {
      readFault = undefined;
      try {
        await writeLastKnownGood(repository, { bytes, digest, revision, files, trust });
        await confirmLastKnownGood(repository, nowMillis());
        keptFault = undefined;
      } catch (fault) {
        keptFault = `the rules in force cannot be kept for a start without Git: ${messageOf(fault)}`;
        log.warn({ source }, keptFault);
      }
    },
    async confirm() {
      // What could not be kept leaves an older one there, which is not the newest.
      if (keptFault === undefined) await confirmLastKnownGood(repository, nowMillis()).catch(() => undefined);
    },
    warnings: () => [keptFault, readFault].filter((fault) => fault !== undefined),
  };
}
