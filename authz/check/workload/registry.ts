import { LRUCache } from "lru-cache";
import { ipAddressKey, parseIpAddress } from "#authz/check/attributes/ip-address";
import type { WorkloadClaim } from "#authz/check/contract";
import { detach } from "#authz/check/detach";
import type { Workload } from "#authz/engine/attributes";
import type { DecisionReason } from "#authz/engine/decision";
import type { RegisteredWorkload, RuleSet } from "#policy-compiler/ruleset/model";

/** Which workload is asked about, or why that cannot be said. `detail`: for the log, never for the client. */
export type FoundWorkload =
  | { readonly ok: true; readonly workload: Workload }
  | { readonly ok: false; readonly reason: DecisionReason; readonly detail: string };

/** Answers kept per rule set; a question longer than this is answered without being kept. */
const KEPT_ANSWERS = 4096;
const LONGEST_KEPT_QUESTION = 8192;

const registries = new WeakMap<RuleSet, Registry>();

/** The registry of a rule set, made when it is first asked. */
export function registryOf(ruleSet: RuleSet): Registry {
  let registry = registries.get(ruleSet);
  if (registry === undefined) {
    registry = new Registry(ruleSet.workloads);
    registries.set(ruleSet, registry);
  }
  return registry;
}

/** The workloads of a rule set by name, by identity and by address, with the answers that were given. */
export class Registry {
  readonly #byName: ReadonlyMap<string, readonly RegisteredWorkload[]>;
  readonly #byAccount: ReadonlyMap<string, readonly RegisteredWorkload[]>;
  readonly #byAddress: ReadonlyMap<string, readonly RegisteredWorkload[]>;
  readonly #answers = new LRUCache<string, FoundWorkload>({ max: KEPT_ANSWERS });
  /** PERF: a plain map, emptied when it is full: it is read at every check, and keeping an order would write at every read. */
  readonly #byText = new Map<string, FoundWorkload>();
  readonly #claims = new WeakMap<WorkloadClaim, FoundWorkload>();

  constructor(workloads: readonly RegisteredWorkload[]) {
    this.#byName = group(workloads, ({ name }) => name);
    this.#byAccount = group(workloads, ({ namespace, serviceAccount }) =>
      serviceAccount === undefined ? undefined : `${namespace}/${serviceAccount}`,
    );
    this.#byAddress = group(workloads, ({ address }) => {
      const ip = address === undefined ? undefined : parseIpAddress(address);
      return ip && ipAddressKey(ip);
    });
  }

  named(name: string): readonly RegisteredWorkload[] {
    return this.#byName.get(name) ?? [];
  }

  ofAccount(namespace: string, serviceAccount: string): readonly RegisteredWorkload[] {
    return this.#byAccount.get(`${namespace}/${serviceAccount}`) ?? [];
  }

  /** `address` in any spelling; host names and paths are not looked up. One that is registered for other ports is not there. */
  atAddress(address: string, port: number): readonly RegisteredWorkload[] {
    const ip = parseIpAddress(address);
    const there = (ip && this.#byAddress.get(ipAddressKey(ip))) ?? [];
    return there.filter(({ ports }) => ports === undefined || ports.includes(port));
  }

  /**
   * The answer to a question, made once. PERF: equal questions get the same `Workload` object, by which the engine finds its
   * view without describing it anew.
   */
  answer(question: string, make: () => FoundWorkload): FoundWorkload {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const found = make();
    // A text that was put together keeps its parts, and they their whole message.
    if (question.length <= LONGEST_KEPT_QUESTION) this.#answers.set(detach(question), found);
    return found;
  }

  /**
   * PERF: as `answer`, by the message's own text of all context extensions, so that nothing is put together to ask
   * (`bench/grpc.ts`). Undefined, and not kept, where `make` finds nothing.
   */
  answerText(text: string, make: () => FoundWorkload | undefined): FoundWorkload | undefined {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const found = make();
    if (found !== undefined && text.length <= LONGEST_KEPT_QUESTION) {
      if (this.#byText.size >= KEPT_ANSWERS) this.#byText.clear();
      this.#byText.set(detach(text), found);
    }
    return found;
  }

  /** As `answer`, for a claim that is one object for as long as its listener lives. */
  answerClaim(claim: WorkloadClaim, make: () => FoundWorkload): FoundWorkload {
    let found = this.#claims.get(claim);
    if (found === undefined) {
      found = make();
      this.#claims.set(claim, found);
    }
    return found;
  }
}

function group(
  workloads: readonly RegisteredWorkload[],
  keyOf: (workload: RegisteredWorkload) => string | undefined,
): Map<string, RegisteredWorkload[]> {
  const groups = new Map<string, RegisteredWorkload[]>();
  for (const workload of workloads) {
    const key = keyOf(workload);
    if (key === undefined) continue;
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [workload]);
    else members.push(workload);
  }
  return groups;
}
