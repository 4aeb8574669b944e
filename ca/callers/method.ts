import type { Caller } from "./contract.ts";

/**
 * What one way to prove oneself came to. `unavailable`: it could not be looked at now, and might be later. `reason` is one line for the operator and
 * never holds a credential.
 */
export type MethodAnswer =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly kind: "refused" | "unavailable"; readonly reason: string };

/** The credential is not good, whenever it is brought. */
export function refused(reason: string): MethodAnswer {
  return { ok: false, kind: "refused", reason };
}

/** Whether the credential is good cannot be told now. */
export function unavailable(reason: string): MethodAnswer {
  return { ok: false, kind: "unavailable", reason };
}
