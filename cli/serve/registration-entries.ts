import type { CallerSelector, RegistrationEntry } from "#ca/registration/contract";
import type { RegisteredCaller, RuleSet } from "#policy-compiler/ruleset/model";

/** The registrations of a rule set as the authority takes them, which knows nothing of rule sets. In their order; total. */
export function registrationEntries({ registrations }: Pick<RuleSet, "registrations">): readonly RegistrationEntry[] {
  return registrations.map((registration) => {
    const { namespace, name, spiffeId, callers, dnsNames, keyKinds, ttlSeconds, maxTtlSeconds, origin } = registration;
    return {
      name: `${namespace}/${name}`,
      source: { file: origin.file, line: origin.line },
      spiffeId,
      callers: callers.map(selectorOf),
      dnsNames,
      keyKinds,
      ttlSeconds,
      maxTtlSeconds,
    };
  });
}

function selectorOf(caller: RegisteredCaller): CallerSelector {
  switch (caller.kind) {
    case "spiffeId":
      return { kind: "spiffe-id", id: caller.id };
    case "jwt":
      return caller;
    case "joinToken":
      return { kind: "join-token" };
  }
}
