import type { MtlsMode, PeerAuthenticationRule } from "#policy-compiler/ruleset/model";
import type { EffectiveMtlsMode } from "./contract.ts";
import { hasLabels, type SelectionSubject } from "./selection.ts";

/** The composed mode of a workload, and of those of its ports that have one of their own. */
export interface ComposedMtls {
  readonly mode: EffectiveMtlsMode;
  readonly ports: ReadonlyMap<number, EffectiveMtlsMode>;
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
  const ports = new Map<number, EffectiveMtlsMode>();
  if (workload.kind === "gateway" || workload.kind === "k8s-gateway") return { mode: "PERMISSIVE", ports };
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
  let mode: EffectiveMtlsMode = "PERMISSIVE";
  for (const rule of [mesh, namespace, own]) if (rule !== undefined) mode = set(rule.mode, mode);
  for (const [port, its] of own?.ports ?? []) ports.set(port, set(its, mode));
  return { mode, ports };
}

function set(mode: MtlsMode, inherited: EffectiveMtlsMode): EffectiveMtlsMode {
  return mode === "UNSET" ? inherited : mode;
}
