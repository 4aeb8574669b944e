import type { RuleSetCounts } from "../status.ts";

/** What a policy bundle says of itself. It is signed, and through `digest` so are the rules. */
export interface BundleManifest {
  /** For whom the bundle is, where one key signs for several; undefined: for nobody in particular. */
  readonly name?: string;
  /** The author's word for the state of the policies: a commit, mostly. */
  readonly revision: string;
  /** When it was built, in whole seconds of Unix time: an older one does not replace a newer one. */
  readonly timeSeconds: number;
  /** From then on it is not taken, and where it is in force it is too old; later than `timeSeconds`. Undefined: never. */
  readonly expiresSeconds?: number;
  /** Hex SHA-256 of the compiled rules. */
  readonly digest: string;
  /** Of the compiled rules. */
  readonly sizeBytes: number;
  /** Policy files that they were compiled from. */
  readonly files: number;
  readonly counts: BundleCounts;
}

export type BundleCounts = Omit<RuleSetCounts, "policiesByAction">;

const countNames = [
  "policies",
  "rules",
  "peerAuthentications",
  "requestAuthentications",
  "workloads",
  "services",
  "providers",
  "registrations",
] as const satisfies readonly (keyof BundleCounts)[];

/** Longer names and revisions are none. */
export const largestWordCharacters = 200;

/** Year 9999: later times cannot be written. */
const latestSeconds = 253_402_300_799;

/** One line of JSON without its line break; equal manifests are equal lines. */
export function encodeManifest(manifest: BundleManifest): string {
  const { name, revision, timeSeconds, expiresSeconds, digest, sizeBytes, files } = manifest;
  const counts = Object.fromEntries(countNames.map((each) => [each, manifest.counts[each]]));
  return JSON.stringify({ name, revision, timeSeconds, expiresSeconds, digest, sizeBytes, files, counts });
}

/** The manifest of a line that `encodeManifest` could have written; undefined for every other. */
export function parseManifest(line: string): BundleManifest | undefined {
  const manifest = parseJson(line);
  return manifest !== undefined && hasShape(manifest) && encodeManifest(manifest) === line ? manifest : undefined;
}

/** Can this be a name or a revision: not empty, on one line, without control characters? */
export function isWord(text: unknown): text is string {
  return (
    typeof text === "string" &&
    text.length <= largestWordCharacters &&
    text.trim() !== "" &&
    !/[\p{C}\p{Zl}\p{Zp}]/u.test(text)
  );
}

function parseJson(line: string): Readonly<Record<keyof BundleManifest, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<keyof BundleManifest, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function hasShape(value: Readonly<Record<keyof BundleManifest, unknown>>): value is BundleManifest & typeof value {
  const { name, revision, timeSeconds, expiresSeconds, digest, sizeBytes, files, counts } = value;
  return (
    (name === undefined || isWord(name)) &&
    isWord(revision) &&
    isTimeSeconds(timeSeconds) &&
    (expiresSeconds === undefined || (isTimeSeconds(expiresSeconds) && expiresSeconds > timeSeconds)) &&
    typeof digest === "string" &&
    /^[0-9a-f]{64}$/.test(digest) &&
    isCount(sizeBytes) &&
    isCount(files) &&
    typeof counts === "object" &&
    counts !== null &&
    countNames.every((each) => isCount((counts as Record<string, unknown>)[each]))
  );
}

/** Can this be the time of a bundle: whole seconds from 1970 to 9999? */
export function isTimeSeconds(value: unknown): value is number {
  return isCount(value) && value <= latestSeconds;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
