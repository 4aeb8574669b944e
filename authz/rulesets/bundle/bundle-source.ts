import { mkdir } from "node:fs/promises";
import type { Engine } from "#authz/engine/contract";
import type { Clock } from "#platform/clock";
import { CodedError, messageOf } from "#platform/coded-error";
import type { FaultCode } from "#platform/fault-codes";
import { createAddressGuard } from "#platform/fetch/address-guard";
import { loadTrustedRoots } from "#platform/fetch/trusted-roots";
import { type FetchedContent, fetchBytes } from "#platform/fetch-bytes";
import { inSlices } from "#platform/in-slices";
import type { Log } from "#platform/log";
import { readPrivateSecret } from "#platform/secret";
import type { Timers } from "#platform/timers";
import { sweepDrafts } from "#platform/write-whole";
import type { BuildResult, RuleSource } from "../build.ts";
import { buildFault } from "../build-fault.ts";
import type { Revision } from "../git/settings.ts";
import { createPoll } from "../poll.ts";
import { demandPresent } from "./demand-present.ts";
import { expiryFault, expiryWarning } from "./expiry.ts";
import { confirmKept, keepBundle, keptFile, readKept } from "./kept-bundle.ts";
import { readTrustedKeys, type TrustedKeys } from "./keys.ts";
import { type BundleManifest, encodeManifest, timeText } from "./manifest.ts";
import { type OpenedBundle, openBundle } from "./open-bundle.ts";
import type { BundleSettings } from "./settings.ts";

export interface BundleSourceParts {
  readonly settings: BundleSettings;
  /** Names the proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Makes of compiled rules what comes into force; fails where this version cannot. */
  readonly prepare: (rules: Uint8Array, digest: string) => Promise<Engine> | Engine;
  readonly clock: Clock;
  readonly timers: Timers;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
}

type Built = BuildResult & { readonly kind: "built" };
type Failed = BuildResult & { readonly kind: "failed" };

/** What the server sent last, by its entity tag. */
interface Seen {
  readonly tag: string | undefined;
  /** Of the keys that it was looked at with. */
  readonly mark: string;
  /** Why it is not in force; undefined: it is. */
  readonly refused: Failed | undefined;
  /** When it was looked at. */
  readonly atMillis: number;
}

/** A bundle on its way into force. */
interface Offer {
  readonly built: Built;
  readonly manifest: BundleManifest;
  /** The whole bundle, and by which keys it was opened; undefined: it is kept already. */
  readonly fetched: { readonly bytes: Uint8Array; readonly seen: Seen; readonly trusted: TrustedKeys } | undefined;
}

/** Longer ones are not sent back. */
const longestTagCharacters = 1024;

/**
 * Signed policy bundles of a server. Asks, fetches, verifies; a bundle that is in force, or that was refused, is not fetched again where the server has entity
 * tags. Before the first bundle is in force, the one that was kept of the last run stands in for one that cannot be had.
 */
export function bundleSource({ settings, environment, prepare, ...parts }: BundleSourceParts): RuleSource {
  const { clock, timers, log } = parts;
  const { origin, pathname } = new URL(settings.url);
  // What follows `?` may be a secret.
  const name = `bundle ${origin}${pathname}`;
  const file = keptFile(settings);
  const guard = createAddressGuard([]);
  const ending = new AbortController();
  const poll = createPoll({ pollMillis: settings.pollMillis, clock, timers, random: parts.random });
  let seen: Seen | undefined;
  let offer: Offer | undefined;
  /** Of the bundle in force, or before there is one of the kept bundle. */
  let newest: BundleManifest | undefined;
  /** What is kept is what is in force. */
  let isKept = false;
  let keptFault: string | undefined;
  /** Why the bundle of the last run is not used, until another is in force. */
  let unusable: string | undefined;

  const fetchBundle = async (tag: string | undefined): Promise<FetchedContent> => {
    const { roots } = await loadTrustedRoots(settings.caFile);
    const { tokenFile } = settings;
    const token = tokenFile && Buffer.from(await readPrivateSecret(tokenFile)).toString("latin1");
    const fetched = await fetchBytes(
      settings.url,
      { guard, roots, environment, maxBytes: settings.maxBytes },
      {
        timeoutMillis: settings.timeoutMillis,
        signal: ending.signal,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        known: tag,
      },
    );
    if (fetched.ok) return fetched;
    const { code, message } = fetched.fault;
    throw new CodedError("bundle/unreachable", `the policy bundle cannot be fetched: ${code}: ${message}`);
  };

  const open = async (bytes: Uint8Array, trusted: TrustedKeys): Promise<OpenedBundle> => {
    const opened = await inSlices(openBundle(bytes, trusted), clock.monotonicMillis);
    const { name: found } = opened.manifest;
    if (settings.name === undefined || found === settings.name) return opened;
    const message = `expected a policy bundle for \`${settings.name}\`, found one for ${found === undefined ? "nobody" : `\`${found}\``}`;
    throw new CodedError("bundle/name", message);
  };

  const demandNotOlder = ({ timeSeconds, revision }: BundleManifest): void => {
    if (newest === undefined || settings.allowOlder || timeSeconds >= newest.timeSeconds) return;
    const message = `\`${revision}\` of ${timeText(timeSeconds)} is older than \`${newest.revision}\` of ${timeText(newest.timeSeconds)}`;
    throw new CodedError("bundle/older", message);
  };

  /** Nothing newer is there than what is in force. */
  const unchanged = (): BuildResult => {
    const expired = newest && expiryFault(newest, clock.nowMillis());
    return expired === undefined ? { kind: "unchanged" } : failed(expired);
  };

  const attempt = async (trusted: TrustedKeys, inForce: Revision | undefined): Promise<BuildResult> => {
    const { mark } = trusted;
    const atMillis = clock.nowMillis();
    // By a clock that was set back, one that was refused may not have expired yet.
    const known = seen?.mark === mark && seen.atMillis <= atMillis ? seen : undefined;
    const { bytes, tag: sent } = await fetchBundle(known?.tag);
    if (bytes === undefined) return known?.refused ?? unchanged();
    const tag = sent !== undefined && sent.length <= longestTagCharacters ? sent : undefined;
    try {
      const opened = await open(bytes, trusted);
      const { manifest, rules } = opened;
      const isNewest = newest !== undefined && encodeManifest(manifest) === encodeManifest(newest);
      // What is signed anew is to be kept anew: the key of before may not be trusted at the next start.
      if (isNewest && opened.signer === inForce?.signer) {
        seen = { tag, mark, atMillis, refused: undefined };
        return unchanged();
      }
      if (!settings.allowOlder) demandPresent(manifest, clock.nowMillis());
      demandNotOlder(manifest);
      const expired = expiryFault(manifest, clock.nowMillis());
      if (expired !== undefined) throw expired;
      const sameRules = inForce !== undefined && manifest.digest === newest?.digest;
      // One of the same rules, built or signed anew, has nothing to prepare.
      const engine = sameRules ? undefined : await prepare(rules, manifest.digest);
      const built = resultOf(opened, engine);
      offer = { built, manifest, fetched: { bytes, trusted, seen: { tag, mark, atMillis, refused: undefined } } };
      return built;
    } catch (fault) {
      // A defect of ours, or want of memory, says nothing of the bundle.
      if (!(fault instanceof CodedError)) throw fault;
      const refused = failed(fault);
      // What only time mends is looked at again.
      seen = { tag: fault.code === "bundle/ahead" ? undefined : tag, mark, atMillis, refused };
      return refused;
    }
  };

  const tellUnusable = (fault: unknown) => {
    unusable = `the bundle of the last run is not used: ${messageOf(fault)}`;
    log.warn({ source: name, code: "bundle/last-known-good" }, unusable);
  };

  /** The kept bundle, opened; undefined where it is none that may be used. */
  const openKept = async (trusted: TrustedKeys) => {
    try {
      const kept = await readKept(file, settings.maxBytes);
      return kept && { opened: await open(kept.bytes, trusted), confirmedMillis: kept.confirmedMillis };
    } catch (fault) {
      tellUnusable(fault);
      return undefined;
    }
  };

  /** Another service that shares the folder may be ahead, and what it kept is not taken back. */
  const keepsNewer = async ({ timeSeconds }: BundleManifest, trusted: TrustedKeys): Promise<boolean> => {
    if (settings.allowOlder) return false;
    const kept = await openKept(trusted);
    return kept !== undefined && kept.opened.manifest.timeSeconds > timeSeconds;
  };

  const tryAttempt = async (trusted: TrustedKeys, inForce: Revision | undefined): Promise<BuildResult> => {
    try {
      const result = await attempt(trusted, inForce);
      poll.note(true);
      if (result.kind === "unchanged" && isKept) await confirmKept(file, clock.nowMillis()).catch(() => undefined);
      return result;
    } catch (fault) {
      poll.note(false);
      return failed(fault);
    }
  };

  const firstAttempt = async (trusted: TrustedKeys): Promise<BuildResult> => {
    await sweepDrafts(settings.folder, clock.nowMillis());
    const kept = await openKept(trusted);
    newest = kept?.opened.manifest;
    const result = await tryAttempt(trusted, undefined);
    if (kept === undefined || result.kind !== "failed") return result;
    const { manifest, rules } = kept.opened;
    let engine: Engine;
    try {
      engine = await prepare(rules, manifest.digest);
    } catch (fault) {
      tellUnusable(fault);
      return result;
    }
    const fallback = { ...buildFault(result), confirmedMillis: kept.confirmedMillis };
    const built = { ...resultOf(kept.opened, engine), fallback };
    offer = { built, manifest, fetched: undefined };
    return built;
  };

  return {
    name,
    async build(inForce) {
      offer = undefined;
      try {
        const trusted = await readTrustedKeys(settings.publicKeyFile);
        return await (inForce === undefined ? firstAttempt(trusted) : tryAttempt(trusted, inForce));
      } catch (fault) {
        return failed(fault);
      } finally {
        poll.plan();
      }
    },
    async accepted(built) {
      if (offer?.built !== built) return;
      const { manifest, fetched } = offer;
      newest = manifest;
      isKept = fetched === undefined;
      if (fetched === undefined) return;
      seen = fetched.seen;
      try {
        await mkdir(settings.folder, { recursive: true, mode: 0o700 });
        if (!(await keepsNewer(manifest, fetched.trusted))) {
          await keepBundle(file, fetched.bytes, clock.nowMillis());
          isKept = true;
        }
        keptFault = undefined;
        unusable = undefined;
      } catch (fault) {
        keptFault = `the bundle in force cannot be kept for a start without its server: ${messageOf(fault)}`;
        log.warn({ source: name }, keptFault);
      }
    },
    nextAttemptMillis: poll.nextMillis,
    warnings() {
      const expiring = newest && expiryWarning(newest, clock.nowMillis());
      return [keptFault, unusable, expiring].filter((warning) => warning !== undefined);
    },
    watch: poll.watch,
    async close() {
      ending.abort();
      poll.close();
    },
  };
}

function resultOf({ manifest, rules, signer }: OpenedBundle, engine: Engine | undefined): Built {
  const { digest, files, revision, timeSeconds, expiresSeconds } = manifest;
  return {
    kind: "built",
    bytes: rules,
    digest,
    ...(engine === undefined ? {} : { engine }),
    diagnostics: [],
    files,
    revision: {
      commit: revision,
      signer,
      builtMillis: timeSeconds * 1000,
      ...(expiresSeconds === undefined ? {} : { expiresMillis: expiresSeconds * 1000 }),
    },
  };
}

function failed(fault: unknown): Failed {
  const code: FaultCode = fault instanceof CodedError ? fault.code : "source/compiler";
  return { kind: "failed", code, message: messageOf(fault) };
}
