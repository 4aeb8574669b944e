import { type Command, InvalidArgumentError } from "commander";
import { buildBundle } from "#authz/rulesets/bundle/build-bundle";
import { isTimeSeconds, isWord, largestWordCharacters } from "#authz/rulesets/bundle/manifest";
import { systemClock } from "#platform/clock";
import { writeWhole } from "#platform/write-whole";
import { parseTimestamp } from "#policy-compiler/ruleset/timestamp";
import { durationSeconds } from "../ca/duration.ts";
import type { CommandContext } from "../command.ts";
import { addIstioLax } from "../options.ts";
import { compileAndTell } from "../policies/compile-and-tell.ts";
import { UsageFault } from "../usage-fault.ts";

interface Options {
  readonly output: string;
  readonly revision?: string;
  readonly name?: string;
  /** Seconds. */
  readonly time?: number;
  /** Seconds. */
  readonly validFor?: number;
  readonly istioLax: boolean;
}

/** So many digits of the digest name a bundle that is given no revision. */
const shortDigest = 12;

/**
 * `garita build [FOLDER] -o FILE`: writes a policy bundle that nobody has signed yet, and prints the digest of its rules. The same folder, revision, name,
 * time and duration give the same bytes.
 */
export function define(command: Command, context: CommandContext): void {
  addIstioLax(command)
    .argument("[folder]", "policy folder", ".")
    .requiredOption("-o, --output <file>", "file for the bundle")
    .option(
      "--revision <text>",
      "what the state of the policies is called, a commit mostly (default: of the digest)",
      word,
    )
    .option("--name <text>", "for whom the bundle is, where one key signs for several", word)
    .option(
      "--time <time>",
      "RFC 3339: when it was built (default: SOURCE_DATE_EPOCH of the environment, else now)",
      time,
    )
    .option(
      "--valid-for <duration>",
      "from its time on, as `72h` or `30d`; then services take it no more (default: for ever)",
      durationSeconds,
    )
    .action(async (folder: string, { output, revision, name, time: said, validFor, istioLax }: Options) => {
      const timeSeconds = said ?? timeOf(context.environment["SOURCE_DATE_EPOCH"]);
      const expiresSeconds = validFor === undefined ? undefined : timeSeconds + validFor;
      if (expiresSeconds !== undefined && !isTimeSeconds(expiresSeconds))
        throw new UsageFault("no bundle is valid beyond the year 9999");
      const compiled = await compileAndTell(folder, { istioLax }, context);
      if (compiled === undefined) return;
      const { ruleSet, bytes, digest, files } = compiled;
      const bundle = buildBundle({
        name,
        revision: revision ?? digest.slice(0, shortDigest),
        timeSeconds,
        expiresSeconds,
        digest,
        files: files.length,
        ruleSet,
        rules: bytes,
      });
      await writeWhole(output, bundle);
      context.write(`${digest}  ${output}\n`);
    });
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function timeOf(epoch: string | undefined): number {
  if (epoch === undefined || epoch === "") return Math.floor(systemClock.nowMillis() / 1000);
  const seconds = /^\d+$/.test(epoch) ? Number(epoch) : undefined;
  if (isTimeSeconds(seconds)) return seconds;
  throw new UsageFault(`expected seconds of Unix time in \`SOURCE_DATE_EPOCH\`, found \`${epoch}\``);
}

function word(text: string): string {
  if (isWord(text)) return text;
  throw new InvalidArgumentError(`expected one line of at most ${largestWordCharacters} characters`);
}

function time(text: string): number {
  const millis = parseTimestamp(text);
  const seconds = millis === undefined ? undefined : Math.floor(millis / 1000);
  if (isTimeSeconds(seconds)) return seconds;
  throw new InvalidArgumentError("expected a time such as `2026-01-31T12:00:00Z`");
}
