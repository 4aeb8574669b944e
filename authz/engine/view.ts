import type { AuthenticationPlan } from "#authz/authenticate/contract";
import { createPlan } from "#authz/authenticate/plan";
import type { PeerAuthenticationRule, RuleSet } from "#policy-compiler/ruleset/model";
import type { Workload } from "./attributes.ts";
import type { EffectiveMtlsMode, WorkloadView } from "./contract.ts";
import type { Start } from "./lookup/prepared-index.ts";
import { type ComposedMtls, composeMtls, type SetMode } from "./mtls-mode.ts";
import { type RuleTable, stageNumber } from "./rule-table.ts";
import { type SelectionSubject, selectionSubject, selects } from "./selection.ts";

/** What one workload sees of a rule set. Cost of making: linear in policies and rules; a bit for each rule stays. */
export class PreparedView implements WorkloadView {
  /** The rules it speaks of. */
  readonly table: RuleTable;
  readonly workload: Workload;
  readonly subject: SelectionSubject;
  readonly requestAuthentications: readonly number[];
  readonly authentication: AuthenticationPlan | undefined;
  readonly customProviders: readonly string[];
  /** By stage number: does a policy of the stage select the workload, be it one without rules? */
  readonly stages: readonly boolean[];
  /** Where each index begins its look-ups for this workload; filled at the first (`lookup/prepared-index.ts`). */
  readonly starts: (Start | undefined)[] = [undefined, undefined, undefined, undefined];
  /** Undefined: no port has a mode of its own. */
  readonly #mtlsPorts: ComposedMtls["ports"] | undefined;
  readonly #mtlsGeneral: SetMode;
  readonly #rules: Uint32Array;

  constructor(table: RuleTable, workload: Workload) {
    const { ruleSet } = table;
    const subject = selectionSubject(ruleSet.mesh, workload);
    const applies = new Uint8Array(ruleSet.policies.length);
    const providers = new Set<string>();
    const stages = Object.values(stageNumber).map(() => false);
    ruleSet.policies.forEach((policy, i) => {
      if (!selects(policy.attachment, policy.namespace, subject)) return;
      applies[i] = 1;
      stages[stageNumber[policy.stage]] = true;
      if (policy.provider !== undefined) providers.add(policy.provider);
    });
    const rules = new Uint32Array((table.size + 31) >>> 5);
    ruleSet.rules.forEach((rule, id) => {
      if (applies[rule.policy] === 1) rules[id >>> 5]! |= 1 << (id & 31);
    });
    this.table = table;
    this.workload = workload;
    this.subject = subject;
    this.stages = stages;
    this.customProviders = [...providers];
    this.requestAuthentications = selectedAuthentications(ruleSet, subject);
    this.authentication = createPlan(
      this.requestAuthentications.flatMap((i) => ruleSet.requestAuthentications[i]!.jwtRules),
    );
    const { ports, general } = composeMtls(ruleSet.peerAuthentications, subject);
    this.#mtlsPorts = ports.size === 0 ? undefined : ports;
    this.#mtlsGeneral = general;
    this.#rules = rules;
  }

  mtlsMode(port: number): EffectiveMtlsMode {
    return this.#mtlsAt(port).mode;
  }

  mtlsRule(port: number): PeerAuthenticationRule | undefined {
    return this.#mtlsAt(port).rule;
  }

  #mtlsAt(port: number): SetMode {
    return this.#mtlsPorts?.get(port) ?? this.#mtlsGeneral;
  }

  /** Indexes of the policies that select the workload, ascending. Worked out anew each time: only explanations ask. */
  policies(): readonly number[] {
    return this.table.ruleSet.policies.flatMap(({ attachment, namespace }, i) =>
      selects(attachment, namespace, this.subject) ? [i] : [],
    );
  }

  /** Does the rule belong to a policy that selects the workload? */
  hasRule(id: number): boolean {
    return ((this.#rules[id >>> 5]! >>> (id & 31)) & 1) === 1;
  }
}

/** ORDER: by namespace as `subject` lists them, then as in the rule set. Istio tries JWT rules of one issuer in this order. */
function selectedAuthentications(ruleSet: RuleSet, subject: SelectionSubject): readonly number[] {
  return subject.namespaces.flatMap((namespace) =>
    ruleSet.requestAuthentications.flatMap((rule, i) => {
      // Istio: one without rules installs nothing.
      const applies = rule.namespace === namespace && rule.jwtRules.length > 0;
      return applies && selects(rule.attachment, namespace, subject) ? [i] : [];
    }),
  );
}
