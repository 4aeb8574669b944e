import type { Command } from "commander";
import { demandPresent } from "#authz/rulesets/bundle/demand-present";
import { expiryFault } from "#authz/rulesets/bundle/expiry";
import { readTrustedKeys } from "#authz/rulesets/bundle/keys";
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
      const expired = expiryFault(opened.manifest, systemClock.nowMillis());
      if (expired !== undefined) throw expired;
      demandPresent(opened.manifest, systemClock.nowMillis());
      prepareEngine(opened.rules, opened.manifest.digest);
      context.write(format === "json" ? renderJson(opened) : renderText(opened));
    });
}

function renderJson({ manifest: { timeSeconds, expiresSeconds, ...said }, signer }: OpenedBundle): string {
  const expires = expiresSeconds === undefined ? undefined : timeText(expiresSeconds);
  return jsonText({ ...said, time: timeText(timeSeconds), expires, signer });
}

function renderText({ manifest, signer }: OpenedBundle): string {
  const { name, revision, timeSeconds, expiresSeconds, digest, sizeBytes, files, counts } = manifest;
  return linesText(
    fieldsText([
      ["signed by", signer],
      ["name", name],
      ["revision", revision],
      ["built", timeText(timeSeconds)],
      ["expires", expiresSeconds === undefined ? undefined : timeText(expiresSeconds)],
      ["digest", digest],
      ["files", String(files)],
      ["policies", String(counts.policies)],
      ["rules", `${counts.rules}, ${sizeBytes} bytes`],
    ]),
  );
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
