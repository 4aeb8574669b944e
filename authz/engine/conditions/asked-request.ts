import type { Facts } from "#policy-compiler/conditions/contract";
import type { RequestAttributes, Workload } from "../attributes.ts";
import type { Truth } from "../kleene.ts";
import { AttributeFacts } from "./facts.ts";
import type { ConditionFaultCode } from "./fault-codes.ts";

/** A rule that ended unsure because of a condition. */
export interface NotedFault {
  readonly id: number;
  readonly code: ConditionFaultCode;
}

/** Before tokens are looked at, or after. */
export type AskedAt = "custom" | "policies";

/**
 * One request while the rules of a table are asked about it, at one stage. What conditions see is made when the first of them is about to run.
 */
export class AskedRequest {
  readonly request: RequestAttributes;
  readonly #workload: Workload;
  readonly #at: AskedAt;
  #facts: Facts | undefined;
  #noted: NotedFault[] | undefined;

  constructor(request: RequestAttributes, workload: Workload, at: AskedAt) {
    this.request = request;
    this.#workload = workload;
    this.#at = at;
  }

  get facts(): Facts {
    this.#facts ??= new AttributeFacts(this.request, this.#workload, this.#at === "custom");
    return this.#facts;
  }

  note(id: number, code: ConditionFaultCode): void {
    this.#noted ??= [];
    this.#noted.push({ id, code });
  }

  get noted(): readonly NotedFault[] {
    return this.#noted ?? none;
  }

  /** What the conditions of a rule came to before, in this walk. Decisions ask each rule once and keep nothing. */
  known(_id: number): Truth | undefined {
    return undefined;
  }

  keep(_id: number, _result: Truth): void {}
}

/** One that remembers: an explanation walks the rules more than once, and no condition runs twice for it. */
export class ExplainedRequest extends AskedRequest {
  readonly #results = new Map<number, Truth>();

  override known(id: number): Truth | undefined {
    return this.#results.get(id);
  }

  override keep(id: number, result: Truth): void {
    this.#results.set(id, result);
  }
}

const none: readonly never[] = Object.freeze([]);
