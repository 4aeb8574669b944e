import type { AskedBody } from "./asked-body.ts";
import type { ProviderOutcome, ProviderQuestion } from "./contract.ts";

/** A question with what of the body goes along. */
export interface Asked {
  readonly question: ProviderQuestion;
  readonly body: Extract<AskedBody, { readonly kind: "none" | "sent" }>;
}

/** What a provider answered. `error`: it answered with an error of its own (`error_response`). */
export type Answer =
  | Exclude<ProviderOutcome, { readonly kind: "failed" | "bodyTooLarge" }>
  | {
      readonly kind: "error";
      readonly status: number | undefined;
      readonly headers: (ProviderOutcome & { readonly kind: "denied" })["headers"];
      readonly body: string;
    }
  /** It allowed, with edits that make the request malformed. */
  | { readonly kind: "malformed"; readonly fault: string };

/** How one provider is spoken to. Connections are opened when they are needed. */
export interface Transport {
  /**
   * Rejects with a `ProviderFault` where there is no answer that counts, at the latest after `budgetMillis`, and with an `UnaskableRequest` where
   * nothing was asked.
   */
  ask(asked: Asked, budgetMillis: number): Promise<Answer>;
  /** Closes what is open; a later question opens it again. */
  close(): void;
}
