import type { CustomProvider, CustomProviders, ProviderOutcome } from "#authz/custom/contract";
import type { Engine } from "#authz/engine/contract";
import { resolveProviders } from "#policy-compiler/ruleset/providers/resolve";
import type { DescribedAnswer } from "./description.ts";

/** Providers that answer as described; those that a service could not ask cannot be asked here either. */
export function describedProviders(
  engine: Engine,
  answers: Readonly<Record<string, DescribedAnswer>> = {},
): CustomProviders {
  const resolutions = resolveProviders(engine.ruleSet);
  return {
    find(name): CustomProvider | undefined {
      const resolution = resolutions.get(name);
      if (resolution?.ok !== true) return undefined;
      const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
      return { name, kind: resolution.kind, wantsBody: false, ask: async () => outcomeOf(answer) };
    },
    why(name) {
      const resolution = resolutions.get(name);
      if (resolution === undefined) return `\`${name}\` is not defined in mesh.yaml`;
      return resolution.ok ? "" : resolution.why;
    },
  };
}

function outcomeOf(answer: DescribedAnswer | undefined): ProviderOutcome {
  switch (answer) {
    case "allow":
      return { kind: "allowed", request: undefined, responseHeaders: [], failedOpen: undefined };
    case "deny":
      return { kind: "denied", status: 403, headers: [], body: "" };
    case undefined:
      return { kind: "failed", status: 403, detail: "what it answers is not described (`providers`)" };
  }
}
