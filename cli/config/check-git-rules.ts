import { checkGitSettings } from "#authz/rulesets/git/check-settings";
import { isLocal, parseAddress } from "#platform/address";
import { convertGit, type RawGit } from "./convert-git.ts";
import { gitDefaults } from "./git-defaults.ts";
import type { RawConfig } from "./model.ts";
import { fault, onKey, type ShapeFault } from "./shape-fault.ts";
import { checkReaction, checkStaleness } from "./staleness-keys.ts";

/** What a schema cannot say of `policies.git`. */
export function checkGitRules({ policies: { git } }: RawConfig): ShapeFault[] {
  if (git === undefined) return [];
  const place = ["policies", "git"];
  const own = checkGitSettings(convertGit(git, (path) => path)).map(({ setting, message }) =>
    fault("config/value", setting === "credentials" ? place : [...place, setting], message),
  );
  const both =
    git.branch !== undefined && git.tag !== undefined
      ? [fault("config/value", [...place, "tag"], "expected a branch or a tag, found both")]
      : [];
  return [
    ...own,
    ...both,
    ...webhookFaults(git, [...place, "webhook"]),
    ...checkReaction(place, git),
    ...checkStaleness(place, git, git.pollSeconds ?? gitDefaults.pollSeconds),
  ];
}

function webhookFaults({ webhook }: RawGit, place: readonly string[]): ShapeFault[] {
  if (webhook === undefined) return [];
  const path = [...place, "address"];
  const address = parseAddress(webhook.address);
  if (address === undefined) return [fault("config/address", path, `not an address: \`${webhook.address}\``)];
  if (webhook.tls === undefined && !isLocal(address)) {
    const found = `secrets of the host would pass in clear text to \`${webhook.address}\``;
    return [
      fault("config/webhook-plaintext", path, found, "add `tls`, or listen on 127.0.0.1 behind a proxy that has it"),
    ];
  }
  if (webhook.tls?.allowedClients === undefined || webhook.tls.clientCaFile !== undefined) return [];
  const message = "`allowedClients` needs `clientCaFile`: names prove nothing alone";
  return [onKey("config/tls", [...place, "tls", "allowedClients"], message)];
}
