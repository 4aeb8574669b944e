import type { AuthorizationPolicy, MtlsMode, PeerAuthentication } from "#policy-compiler/document/model";
import { stageOf } from "#policy-compiler/lower/lower-policies";
import type { Stage } from "#policy-compiler/ruleset/model";
import type { HeadedDocument } from "./describe-document.ts";
import type { RuleWidth } from "./rule-width.ts";

/**
 * What a change of a document does, where that is known from the documents alone. `direction`: what it does to access, before other policies are asked; `unclear` where
 * it may do both.
 */
export interface Consequence {
  readonly direction: "opens" | "closes" | "none" | "unclear";
  /** One line, lower case, without a final stop. */
  readonly message: string;
}

type RuleStep = "added" | "removed" | RuleWidth;

/** What a policy does with what it matches, and which way more of that leads. What a provider says or edits is not known. */
const deeds: Record<Stage, { readonly does: string; readonly more: Consequence["direction"] }> = {
  allow: { does: "allows", more: "opens" },
  deny: { does: "denies", more: "closes" },
  dryRunAllow: { does: "would allow", more: "none" },
  dryRunDeny: { does: "would deny", more: "none" },
  audit: { does: "audits", more: "none" },
  custom: { does: "asks the provider about", more: "unclear" },
};

const opposite = { opens: "closes", closes: "opens", none: "none", unclear: "unclear" } as const;

/** What a rule does that came, went, or matches more or less than it did; undefined where that is undecided. */
export function ruleConsequence(stage: Stage, step: RuleStep): Consequence | undefined {
  const { does, more } = deeds[stage];
  switch (step) {
    case "added":
      return { direction: more, message: `the policy ${does} more, or the same` };
    case "removed":
      return { direction: opposite[more], message: `the policy ${does} less, or the same` };
    case "wider":
      return { direction: more, message: `wider: ${does} whatever it did, and perhaps more` };
    case "narrower":
      return { direction: opposite[more], message: `narrower: ${does} nothing that it did not, and perhaps less` };
    case "same":
      return { direction: "none", message: "it matches the same" };
    case "undecided":
      return undefined;
  }
}

/** What the change of a whole document does, beyond its rules. */
export function consequencesOf(
  before: HeadedDocument | undefined,
  after: HeadedDocument | undefined,
): readonly Consequence[] {
  if (isPolicy(before) && isPolicy(after)) return ofPolicy(before, after);
  if (before === undefined && isPolicy(after)) return [ofWholePolicy(after, "added")];
  if (after === undefined && isPolicy(before)) return [ofWholePolicy(before, "removed")];
  if (before?.type === "PeerAuthentication" && after?.type === "PeerAuthentication") return ofModes(before, after);
  return [];
}

function isPolicy(document: HeadedDocument | undefined): document is AuthorizationPolicy {
  return document?.type === "AuthorizationPolicy";
}

function ofWholePolicy(policy: AuthorizationPolicy, step: "added" | "removed"): Consequence {
  const { does, more } = deeds[stageOf(policy)];
  const count = policy.rules.length;
  const what = count === 0 ? "nothing" : count === 1 ? "what its rule matches" : `what its ${count} rules match`;
  // That there is an ALLOW policy closes a workload, whatever it allows.
  const direction = more === "opens" ? (count === 0 ? "closes" : "unclear") : count === 0 ? "none" : more;
  if (step === "added") return { direction, message: `it ${does} ${what}` };
  const message = count === 0 ? "it had no rules" : `it ${does} ${what} no more`;
  return { direction: opposite[direction], message };
}

function ofPolicy(before: AuthorizationPolicy, after: AuthorizationPolicy): readonly Consequence[] {
  const consequences: Consequence[] = [];
  const [old, now] = [stageOf(before), stageOf(after)];
  if (old !== now) {
    const message = `before, it ${deeds[old].does} what it matches; after, it ${deeds[now].does} it`;
    consequences.push({ direction: directionOf(old, now), message });
  }
  if (before.rules.length > 0 && after.rules.length === 0) {
    const direction = opposite[deeds[now].more];
    consequences.push({ direction, message: `without rules it ${deeds[now].does} nothing` });
  }
  return consequences;
}

/** That there is an ALLOW policy closes a workload, whatever it allows: one that begins or ends may do both. */
function directionOf(old: Stage, now: Stage): Consequence["direction"] {
  const [from, to] = [deeds[old].more, deeds[now].more];
  if (from === "none" && to === "none") return "none";
  if (from === "none" && to === "closes") return "closes";
  if (from === "closes" && to === "none") return "opens";
  return "unclear";
}

/** What inherits its mode may do what STRICT does: only what is written is known. */
function ofModes(before: PeerAuthentication, after: PeerAuthentication): readonly Consequence[] {
  const [old, now] = [modeOf(before), modeOf(after)];
  if (old === now) return [];
  if (now === "STRICT") {
    const message =
      old === "UNSET"
        ? "connections without mutual TLS are refused, whatever it inherits"
        : "connections without mutual TLS are refused now";
    return [{ direction: "closes", message }];
  }
  if (old === "STRICT") {
    const message =
      now === "UNSET"
        ? "connections without mutual TLS are refused only where it inherits that"
        : "it does not refuse connections without mutual TLS any more";
    return [{ direction: "opens", message }];
  }
  return [];
}

/** Without a mode it inherits, as with `UNSET`. */
function modeOf({ mode }: PeerAuthentication): MtlsMode {
  return mode?.value ?? "UNSET";
}
