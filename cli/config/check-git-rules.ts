import { checkGitSettings } from "#authz/rulesets/git/check-settings";
import { convertGit } from "./convert-git.ts";
import { gitDefaults } from "./git-defaults.ts";
import type { RawConfig } from "./model.ts";
import { fault, type ShapeFault } from "./shape-fault.ts";

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
  const { maxStaleSeconds, pollSeconds = gitDefaults.pollSeconds } = git;
  if (maxStaleSeconds === undefined) {
    if (git.onStale === undefined) return [...own, ...both];
    return [...own, ...both, fault("config/value", [...place, "onStale"], "`onStale` needs `maxStaleSeconds`")];
  }
  if (maxStaleSeconds >= 2 * pollSeconds) return [...own, ...both];
  const found = `\`maxStaleSeconds\` of ${maxStaleSeconds} is less than twice \`pollSeconds\` of ${pollSeconds}`;
  const help = "policies would be stale because one poll failed";
  return [...own, ...both, fault("config/value", [...place, "maxStaleSeconds"], found, help)];
}
