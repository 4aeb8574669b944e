import type { Command } from "commander";
import { demandPresent } from "#authz/rulesets/bundle/demand-present";
import { readTrustedKeys } from "#authz/rulesets/bundle/keys";
import { timeText } from "#authz/rulesets/bundle/manifest";
import { type OpenedBundle, openBundle } from "#authz/rulesets/bundle/open-bundle";
import { prepareEngine } from "#authz/rulesets/prepare-at-once";
import { systemClock } from "#platform/clock";
import { finish } from "#policy-compiler/ruleset/steps";
import { fieldsText, jsonText, linesText } from "../ca/paint.ts";
import type { CommandContext } from "../command.ts";
import { formatOption } from "../options.ts";
import { readBundleFile } from "../policies/read-bundle-file.ts";

interface Options {
  readonly key: string;
  readonly format: "text" | "json";
}

/** `garita verify FILE --key PUB`: opens a policy bundle as a service would, and prints what it says of itself. Exit 5 when every service would refuse it. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument("<file>", "bundle")
    .requiredOption("--key <file>", "Ed25519 public keys that are trusted, SPKI in PEM")
    .addOption(formatOption(["text", "json"]))
    .action(async (path: string, { key, format }: Options) => {
      const trusted = await readTrustedKeys(key);
      const opened = finish(openBundle(await readBundleFile(path), trusted));
      demandPresent(opened.manifest, systemClock.nowMillis());
      prepareEngine(opened.rules, opened.manifest.digest);
      context.write(format === "json" ? renderJson(opened) : renderText(opened));
    });
}

function renderJson({ manifest: { timeSeconds, ...said }, signer }: OpenedBundle): string {
  return jsonText({ ...said, time: timeText(timeSeconds), signer });
}

function renderText({ manifest, signer }: OpenedBundle): string {
  const { name, revision, timeSeconds, digest, sizeBytes, files, counts } = manifest;
  return linesText(
    fieldsText([
      ["signed by", signer],
      ["name", name],
      ["revision", revision],
      ["built", timeText(timeSeconds)],
      ["digest", digest],
      ["rules", `${counts.rules} of ${counts.policies} policies in ${files} files, ${sizeBytes} bytes`],
    ]),
  );
}
