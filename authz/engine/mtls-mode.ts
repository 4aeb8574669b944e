import type { MtlsMode, PeerAuthenticationRule } from "#policy-compiler/ruleset/model";
import type { EffectiveMtlsMode } from "./contract.ts";
import { hasLabels, type SelectionSubject } from "./selection.ts";

/** A mode and the rule that set it; undefined: none did, and the mode is the one that holds without any. */
export interface SetMode {
  readonly mode: EffectiveMtlsMode;
  readonly rule: PeerAuthenticationRule | undefined;
}

/** What holds where nobody says anything. */
const unset: SetMode = { mode: "PERMISSIVE", rule: undefined };

/** The composed mode of a workload, and of those of its ports that its own policy names. */
export interface ComposedMtls {
  readonly general: SetMode;
  readonly ports: ReadonlyMap<number, SetMode>;
}

/**
 * Istio: PeerAuthentication, composition. Mesh, namespace and workload level, each replacing the one before where it says a
 * mode; of several at one level the first in the list (the oldest) counts and the others contribute nothing. Policies with
 * labels in the root namespace are for nobody. Ports come from the workload level's policy alone.
 *
 * The TLS of gateways is that of their Gateway servers, which PeerAuthentication does not touch: PERMISSIVE, whatever it says.
 */
export function composeMtls(rules: readonly PeerAuthenticationRule[], subject: SelectionSubject): ComposedMtls {
  const { workload, rootNamespace, labels } = subject;
  const ports = new Map<number, SetMode>();
  let general = unset;
  if (workload.kind === "gateway" || workload.kind === "k8s-gateway") return { general, ports };
  const oldest = (level: (rule: PeerAuthenticationRule) => boolean) => rules.find(level);
  const mesh = oldest((rule) => rule.namespace === rootNamespace && rule.labels.length === 0);
  const namespace = oldest((rule) => rule.namespace === workload.namespace && rule.labels.length === 0);
  const own = oldest(
    (rule) =>
      rule.namespace === workload.namespace &&
      rule.namespace !== rootNamespace &&
      rule.labels.length > 0 &&
      hasLabels(labels, rule.labels),
  );
  for (const rule of [mesh, namespace, own]) if (rule !== undefined) general = set(rule.mode, rule, general);
  if (own !== undefined) for (const [port, mode] of own.ports) ports.set(port, set(mode, own, general));
  return { general, ports };
}

function set(mode: MtlsMode, rule: PeerAuthenticationRule, inherited: SetMode): SetMode {
  return mode === "UNSET" ? inherited : { mode, rule };
}
